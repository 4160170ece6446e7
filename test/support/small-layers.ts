/** Layers of a model that has every kind of state and takes a moment: a convolution with batch norm, and ten classes. */
export function makeSmallLayers(
  convolution: { kernel: number; padding?: number; stride?: number },
  behind: object[],
): object[] {
  const start = [{ type: 'conv', outChannels: 4, ...convolution }, { type: 'batchNorm' }, { type: 'relu' }];
  return [...start, ...behind, { type: 'flatten' }, { type: 'linear', outFeatures: 10 }];
}
