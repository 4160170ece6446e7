/** The run in motion. */
export * from './coordinator.js';
export * from './observers.js';
export * from './checkpoints.js';
export * from './resume.js';
export * from './cluster.js';
export * from './server.js';
export * from './admission.js';
