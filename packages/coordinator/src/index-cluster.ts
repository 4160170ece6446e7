/** The run in motion on several machines. */
export * from './cluster.js';
export { groupReplicas, groupSizeOf } from './groups.js';
export type { Topology } from './shares.js';
export * from './server.js';
export * from './admission.js';
