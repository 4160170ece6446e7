/** A step of several nodes: who computes what, and what happens when one fails. */
export * from './assignment.js';
export * from './cluster.js';
export * from './groups.js';
export * from './shares.js';
