/** The chronicle of a run: what the live page shows, and report.html after it. */
export * from './chronicle.js';
export * from './chronicle-file.js';
export * from './chronicler.js';
export * from './image-uri.js';
export * from './judge.js';
export * from './showing.js';
