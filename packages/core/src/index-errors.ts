/** How what went wrong is told. */
export * from './errors.js';
export * from './nearest.js';
export * from './checks.js';
