/** The chronicle of a run, and the live page that shows it. */
export * from './access.js';
export * from './chronicle.js';
export * from './chronicle-file.js';
export * from './chronicler.js';
export * from './feed.js';
export * from './image-uri.js';
export * from './judge.js';
export * from './offenders.js';
export * from './page-server.js';
export * from './showing.js';
