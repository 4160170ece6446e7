/** Models by name or by file. */
export * from './model-file.js';
export * from './spec-fault.js';
export * from './zoo.js';
export * from './zoo-model.js';
