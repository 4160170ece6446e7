/** Gradients in bf16 between processes, all cases over a mesh too. */
import './cluster-bf16.test.ts';
