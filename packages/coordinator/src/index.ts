/** The run in motion. */
export * from './coordinator.js';
