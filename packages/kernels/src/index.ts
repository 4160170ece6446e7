/** Numbers only: kernels, native or in WebAssembly, and programs of kernel calls. */
export * from './calls.js';
export { hasSources, inClone, ISAS, type Isa } from './builds.js';
export * from './load.js';
export { checkOwnership } from './ownership.js';
export * from './program.js';
export * from './program-ops.js';
export * from './records.js';
