/** Event files as TensorBoard reads them. */
export * from './tensorboard/event-schema.js';
export * from './tensorboard/histogram.js';
export * from './tensorboard/hparams.js';
export * from './tensorboard/tfrecord.js';
