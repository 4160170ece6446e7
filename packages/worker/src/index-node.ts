/** A node's part in a run of several. */
export { connect } from './connect.js';
export { MpiWorld } from './mpi.js';
export * from './node-life.js';
