/** A node: its workers and its replica. */
export * from './local-node.js';
