/** A model that learns made-up bars in a moment; with dropout, batch norm and augmentation, so that a hash covers them. */
export const BAR_SIDE = 12;
export const BAR_CLASSES = 10;

export const makeBars = (length: { readonly epochs: number; readonly batchSize: number }) => ({
  name: 'bars',
  input: { channels: 1, height: BAR_SIDE, width: BAR_SIDE },
  classes: BAR_CLASSES,
  layers: [
    { type: 'conv', outChannels: 8, kernel: 3, padding: 1 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'maxPool', kernel: 2 },
    { type: 'dropout', p: 0.1 },
    { type: 'flatten' },
    { type: 'linear', outFeatures: BAR_CLASSES },
  ],
  recipe: { ...length, augmentation: { rotation: 3 }, learningRate: 0.01 },
});
