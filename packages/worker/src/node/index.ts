/** A node: its workers and its replica. */
export { type CompileKernels, notCompiled } from '../threads/later-kernels.js';
export { withKernelCodes } from './kernels-error.js';
export * from './local-node.js';
export { stayingOnWasm } from './open-threads.js';
