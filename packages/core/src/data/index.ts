/** Images and labels: opened, normalized, described. */
export * from './array-dataset.js';
export * from './data-options.js';
export * from './data-report.js';
export * from './dataset/check-dataset.js';
export { dataOriginSchema } from './dataset/data-origin.js';
export * from './dataset/dataset.js';
export { holdOutValidation } from './dataset/hold-out.js';
export * from './dataset/normalization.js';
export * from './mnist/mnist-options.js';
export * from './open-dataset.js';
export * from './open-table.js';
export * from './photos/foreign-image.js';
export { type PixelLayout, pixelLayouts } from './pictures/pixel-form.js';
export * from './pictures/planar-image.js';
export * from './pixels/data-notes.js';
export * from './pixels/data-record.js';
export * from './pixels/pixels.js';
export * from './pixels/resize.js';
