/** The chronicle of a run, and the live page that shows it. */
export * from './page/chronicle.js';
export * from './page/chronicler.js';
export * from './page/feed.js';
export * from './page/image-uri.js';
export { proveView } from './page/access.js';
export * from './page/judge.js';
export * from './page/showing.js';
export { offenceLimits } from './page/offenders.js';
export * from './page/page-server.js';
