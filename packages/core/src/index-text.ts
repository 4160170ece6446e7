/** How a run is put into words; without anything of Node, for the page as well. */
export * from './count-text.js';
export * from './number-text.js';
export * from './standing.js';
export type { Evaluation } from './events.js';
