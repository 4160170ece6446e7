/** Runs over several processes, all cases over a mesh too. */
import './cluster.test.ts';
