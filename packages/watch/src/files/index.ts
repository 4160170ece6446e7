/** Files that a run leaves: run.json, events, history. */
export * from './find-run.js';
export * from './out-files.js';
export * from './out-folder.js';
export * from './run-file.js';
export * from './run-folder.js';
