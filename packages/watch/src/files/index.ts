/** Files that a run leaves: run.json, events, history. */
export * from './out-folder.js';
