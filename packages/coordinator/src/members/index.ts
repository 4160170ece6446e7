/** Who takes part in a run of several machines. */
export type { FarewellTerms } from './farewells.js';
export * from './server.js';
