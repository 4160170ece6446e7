/** Pictures as files, and from a file to what a model reads. */
export * from './image-file.js';
export * from './image-names.js';
export * from './png-file.js';
export * from './raw-image.js';
