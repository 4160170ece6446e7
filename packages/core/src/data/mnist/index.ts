/** MNIST: found, fetched, or the embedded sample. */
export * from './download.js';
export * from './embedded.js';
export * from './mnist.js';
