/** Contributions by TensorFlow. */
export * from './installation.js';
