/** What computes contributions: engines, worker threads, and the node they make up. */
export * from './engine.js';
export { findTail } from './engines.js';
export * from './local-node.js';
export * from './native-engine/single-step.js';
export * from './native-engine/training-inputs.js';
export type { WorkerTotals } from './step-clock.js';
export * from './tensorflow-engine/installation.js';
