/** The run in motion. */
export * from './coordinator.js';
export * from './checkpoints.js';
export * from './resume.js';
