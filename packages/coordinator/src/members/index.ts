/** Who takes part in a run of several machines. */
export * from './believed.js';
export type { FarewellTerms } from './farewells.js';
export * from './server.js';
