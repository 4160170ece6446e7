/** Ports that others can reach: how they are opened, and who may take up room at them. */
export * from './door.js';
export * from './make-server.js';
export * from './open-port.js';
