/** A node's part in a run of several. */
export * from './connect.js';
export * from './mpi.js';
export * from './network.js';
export * from './node-life.js';
export * from './visit.js';
