/** Models in the formats of others. */
export * from './export/onnx.js';
export * from './export/html.js';
