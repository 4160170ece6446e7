/** The run in motion: the loop, its evaluations and checkpoints. */
export * from './coordinator.js';
export * from './folder-lock.js';
export * from './held-folder.js';
export * from './observers.js';
export { checkResume } from './resume.js';
export * from './run-options.js';
