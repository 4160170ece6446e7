/** What a run is told: the recipe and the model as they are written down. */
export * from './block-samples.js';
export * from './check-options.js';
export * from './field-names.js';
export * from './model-spec.js';
export * from './recipe.js';
