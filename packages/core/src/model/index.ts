/** A model under shape inference: its layers, its summary, its fit to the data. */
export * from './adapt-model.js';
export * from './layers.js';
export * from './summary.js';
export * from './summary-table.js';
