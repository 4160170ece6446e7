/** A node: its workers and its replica. */
export type { CompileKernels } from '../threads/later-kernels.js';
export * from './local-node.js';
export { missingKernels } from './open-threads.js';
