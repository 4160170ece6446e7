/** What a run has learned, on disk: weights and checkpoints. */

export * from './checkpoint.js';
export * from './checkpoint-folder.js';
export * from './checkpoint-writing.js';
export * from './transfer.js';
export * from './weights.js';
