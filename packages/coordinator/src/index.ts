/** The run in motion. */
export { assignShards } from './assignment.js';
export * from './coordinator.js';
export * from './observers.js';
export * from './checkpoints.js';
export * from './resume.js';
export * from './cluster.js';
export * from './server.js';
export * from './admission.js';
export * from './page/chronicle.js';
export * from './page/chronicler.js';
export * from './page/feed.js';
export * from './page/image-uri.js';
export { proveView } from './page/access.js';
export * from './page/judge.js';
export { offenceLimits } from './page/offenders.js';
export * from './page/page-server.js';
