/** Pictures as files, and from a file to what a model reads. */

export * from './formats/raw-image.js';
export * from './image-file.js';
export * from './image-names.js';
export * from './png-file.js';
