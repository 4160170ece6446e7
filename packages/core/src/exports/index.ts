/** Models in the formats of others: ONNX, a page. */
export * from './html.js';
export * from './onnx.js';
