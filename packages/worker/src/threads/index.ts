/** The worker threads of a node. */
export * from './command-loop.js';
export * from './commands.js';
export * from './control.js';
export * from './slice-work.js';
export * from './step-clock.js';
export * from './step-workers.js';
export * from './thread-messages.js';
