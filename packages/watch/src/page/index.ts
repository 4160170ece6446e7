/** The live page that shows a run's chronicle. */
export * from './access.js';
export * from './feed.js';
export * from './offenders.js';
export * from './page-server.js';
