/** A log of JSON lines, by pino. */
export * from './run-log.js';
