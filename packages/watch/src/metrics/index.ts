/** Metrics for Prometheus. */
export * from './metrics-server.js';
export * from './run-metrics.js';
