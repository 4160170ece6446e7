/** Who takes part in a run of several machines. */
export * from './server.js';
