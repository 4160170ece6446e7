/**
 * The run as a pure function. To be read in the order in which a step happens: initial-weights, order, shards, contribution,
 * reduction (buckets and bucket-bytes say how sums travel), schedule, optimizer; freeze says what stays as it is. Loaded by
 * every worker thread, so nothing here loads a library.
 */

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
