/** What is put together from outside: a node, an observer, the control of a run. */
export * from './beginning.js';
export * from './divergence.js';
export * from './node.js';
export * from './observer.js';
export * from './run-control.js';
export * from './run-schema.js';
