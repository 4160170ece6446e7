/** What this process may use of the machine. */
export * from './usable-cores.js';
