/** Numbers whose bits are the same everywhere: Philox and bf16. Cosine and powers (math.ts) are for core alone. */
export * from './bf16.js';
export * from './random.js';
