/**
 * The arithmetic of a step, in the order that data flows: all of this package that a worker thread loads. What is checked
 * by a schema comes as a type alone, since a schema takes longer to load than the rest together.
 */
export type * from './recipe.js';
export type * from './model-spec.js';
export type * from './dataset/dataset.js';
export type * from './node.js';
export type * from './step-times.js';
export type * from './messages.js';
export * from './errors.js';
export * from './nearest.js';
export * from './random.js';
export * from './math.js';
export * from './layers.js';
export * from './freeze.js';
export * from './order.js';
export * from './shards.js';
export * from './initial-weights.js';
export * from './contribution.js';
export * from './tensorflow-order.js';
export * from './bf16.js';
export * from './reduction.js';
export * from './optimizer.js';
export * from './schedule.js';
export * from './buckets.js';
export * from './bucket-bytes.js';
