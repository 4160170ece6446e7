/** Weights and models as others write them: safetensors, TensorFlow.js. */
export * from './safetensors.js';
export * from './tensor-form.js';
export * from './tensorflow-order.js';
export * from './tfjs-file.js';
export * from './tfjs-model.js';
export * from './weight-bytes.js';
