/** How what went wrong is told. */
export * from './checks.js';
export * from './errors.js';
export * from './nearest.js';
