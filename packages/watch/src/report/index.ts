/** The report of a run, and its pictures. */
export * from './curves-picture.js';
export * from './mistakes-picture.js';
export * from './report-folder.js';
export * from './sheet.js';
export * from './terminal-plot.js';
