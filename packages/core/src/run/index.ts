/** The run as a pure function, in the order in which a step happens. Loaded by every worker thread, so nothing here loads a library. */

export * from './bucket-bytes.js';
export * from './buckets.js';
export * from './contribution.js';
export * from './freeze.js';
export * from './initial-weights.js';
export * from './optimizer.js';
export * from './order.js';
export * from './reduction.js';
export * from './schedule.js';
export * from './shards.js';
