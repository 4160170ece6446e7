/** Images and labels: opened, normalized, described. */
export * from './array-dataset.js';
export * from './cache-folder.js';
export * from './check-dataset.js';
export * from './data-notes.js';
export * from './data-options.js';
export * from './dataset.js';
export * from './open-dataset.js';
export * from './pixels.js';
export * from './planar-image.js';
export * from './resize.js';
