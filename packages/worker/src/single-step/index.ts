/** One step on the calling thread, to be measured or checked. */
export * from './single-step.js';
export * from './training-inputs.js';
