/** Files as such: written whole or not at all, JSON with the place of its fault. */
export * from './atomic-file.js';
export * from './cache-folder.js';
export * from './json-place.js';
export * from './json-text.js';
export * from './kept-json.js';
export * from './output-path.js';
export * from './record.js';
export * from './text-file.js';
export * from './version.js';
export * from './whole-file.js';
