/** What computes contributions: the seam, and which engine stands behind it. */
export * from './engines.js';
