/** A time line of workers and nodes. */
export * from './trace-file.js';
