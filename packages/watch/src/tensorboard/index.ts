/** Event files as TensorBoard reads them. */
export * from './tensorboard-folder.js';
