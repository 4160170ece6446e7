/** What happens in a run, as it is told. */
export * from './data-report.js';
export * from './events.js';
export * from './follow-epochs.js';
export * from './judgement.js';
export * from './metric.js';
export * from './node-events.js';
export * from './roster.js';
export * from './step-times.js';
