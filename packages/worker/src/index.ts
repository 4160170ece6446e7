/** What computes contributions: engines, worker threads, and the node they make up. */
export { connect } from './connect.js';
export * from './engine.js';
export { findNotFinite } from './finite.js';
export * from './local-node.js';
export { MpiWorld } from './mpi.js';
export * from './native-engine/single-step.js';
export * from './native-engine/training-inputs.js';
export * from './node-life.js';
export type { WorkerTotals } from './step-clock.js';
export * from './tensorflow-engine/installation.js';
