/** The run in motion on several machines. */
export * from './cluster.js';
export * from './server.js';
export * from './admission.js';
