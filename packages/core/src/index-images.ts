/** Pictures as files, and from a file to what a model reads. */
export * from './dataset/image-file.js';
export * from './dataset/png-file.js';
export * from './dataset/foreign-image.js';
