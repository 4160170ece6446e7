/** Schedules: what may happen to a run of several machines, and that it ends in the calm run's bits. */
import '../environment.js';

export * from './calm.js';
export * from './plan.js';
export * from './run-schedule.js';
export * from './stuck-run.js';
