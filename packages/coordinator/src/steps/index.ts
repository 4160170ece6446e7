/** A step of several nodes: who computes what, and what happens when one fails. */

export * from './cluster.js';
export * from './shares/assignment.js';
export * from './shares/groups.js';
export * from './shares/shares.js';
