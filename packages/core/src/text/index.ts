/** Numbers, counts, recipes and nodes in words, the same for terminal, page and report. */
export * from './count-text.js';
export * from './data-report-text.js';
export * from './escape-html.js';
export * from './issue-text.js';
export * from './node-text.js';
export * from './number-text.js';
export * from './plain-text.js';
export * from './progress.js';
export * from './recipe-text.js';
export * from './roster-text.js';
export * from './standing.js';
