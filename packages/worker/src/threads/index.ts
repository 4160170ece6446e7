/** The worker threads of a node. */
export * from './step-clock.js';
