/** Files that hold images: IDX, CSV, npz, folders. */
export * from './idx.js';
export * from './image-list.js';
