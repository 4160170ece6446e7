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

/** Made-up digits: class c is a bright row at height c + 1 over a pattern that depends on the image. */
export function drawBars(count: number): { pixels: Uint8Array; labels: Uint8Array } {
  const pixels = new Uint8Array(count * BAR_SIDE ** 2);
  const labels = Uint8Array.from({ length: count }, (_, index) => index % BAR_CLASSES);
  for (let index = 0; index < pixels.length; index++) {
    const image = Math.floor(index / BAR_SIDE ** 2);
    const row = Math.floor(index / BAR_SIDE) % BAR_SIDE;
    pixels[index] = row === (labels[image] as number) + 1 ? 255 : (index * 37 + image * 11) % 60;
  }
  return { pixels, labels };
}
