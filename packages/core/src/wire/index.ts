/** What nodes say to each other, and how it travels. */
export * from './carrier.js';
export * from './carry-by.js';
export * from './conversation.js';
export * from './dataset-transfer.js';
export * from './frames.js';
export * from './identity.js';
export * from './link.js';
export * from './link-rules.js';
export * from './link-timings.js';
export * from './messages.js';
export * from './proof.js';
export * from './roster.js';
export * from './socket.js';
