/** Numbers whose bits are the same everywhere: Philox, sine and exponential, bf16. */
export * from './bf16.js';
export * from './random.js';
