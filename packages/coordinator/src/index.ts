/** The run in motion. */
export { assignShards, assignToGroups } from './assignment.js';
export * from './run-options.js';
export * from './coordinator.js';
export * from './observers.js';
export * from './checkpoints.js';
export * from './resume.js';
export * from './folder-lock.js';
export * from './held-folder.js';
