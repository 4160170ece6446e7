/** What nodes say to each other, and how it travels. */
export * from './messages.js';
export * from './proof.js';
export * from './frames.js';
export * from './carrier.js';
export * from './link.js';
export * from './conversation.js';
export * from './dataset-transfer.js';
