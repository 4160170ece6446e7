/** Numbers only: native kernels, and programs of kernel calls. */
export { ISAS, type Isa } from './builds.js';
export * from './native.js';
export { checkOwnership } from './ownership.js';
export * from './program.js';
export * from './program-ops.js';
export * from './records.js';
