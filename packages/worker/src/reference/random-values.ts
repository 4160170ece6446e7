/**
 * Random tensors for tests, each a function of a seed that fast-check draws and prints. All values are exact in
 * float32, so that the float64 reference and a float32 kernel start from the same numbers.
 */
import type { Layer, Shape } from '@lockstep/core/model';
import { elementCount } from '@lockstep/core/model';

/** Uniform in [0, 1), 24 bits: the next of the mulberry32 sequence (Tommy Ettinger, public domain). */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 8) / 2 ** 24;
  };
}

/** `length` values uniform in [low, high). */
export function randomValues(length: number, seed: number, low = -1, high = 1): Float64Array {
  const next = uniforms(seed);
  return new Float64Array(length).map(() => Math.fround(low + (high - low) * next()));
}

/**
 * `length` different values, shuffled, evenly spaced from -1 to 1 and none nearer to 0 than half a spacing: far from
 * the ties of ReLU and max pooling.
 */
export function distinctValues(length: number, seed: number): Float64Array {
  const next = uniforms(seed);
  const values = new Float64Array(length).map((_, i) => Math.fround((2 * i + 1 - length + (length % 2)) / length));
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [values[i], values[j]] = [values[j] as number, values[i] as number];
  }
  return values;
}

/** Weights and biases uniform in +-1/sqrt(fanIn), as PyTorch's defaults; gamma in [0.5, 1.5), beta in [-0.5, 0.5). */
export function randomParameters(layers: readonly Layer[], seed: number): Float64Array[] {
  const parameters = layers.flatMap((layer) => layer.parameters);
  return parameters.map(({ role, size, fanIn }, index) => {
    const tensorSeed = seed + 7919 * (index + 1);
    if (role === 'gamma') return randomValues(size, tensorSeed, 0.5, 1.5);
    if (role === 'beta') return randomValues(size, tensorSeed, -0.5, 0.5);
    const bound = 1 / Math.sqrt(fanIn);
    return randomValues(size, tensorSeed, -bound, bound);
  });
}

/** Running means in [-0.5, 0.5), running variances in [0.5, 1.5). */
export function randomBuffers(layers: readonly Layer[], seed: number): Float64Array[] {
  const buffers = layers.flatMap((layer) => layer.buffers);
  return buffers.map(({ role, size }, index) => {
    const low = role === 'runningVar' ? 0.5 : -0.5;
    return randomValues(size, seed + 104_729 * (index + 1), low, low + 1);
  });
}

/** [sample][channel][row][column], each pixel noise from 0 to 255. */
export function randomImages(shape: Shape, sampleCount: number, seed: number): Uint8Array {
  const next = uniforms(seed);
  return new Uint8Array(sampleCount * elementCount(shape)).map(() => Math.floor(next() * 256));
}

export function randomLabels(sampleCount: number, classCount: number, seed: number): Uint8Array {
  const next = uniforms(seed);
  return new Uint8Array(sampleCount).map(() => Math.floor(next() * classCount));
}

/** [sample][element] of a layer's output, 1 = kept with probability 1 - p. */
export function randomDropoutMask(layer: Layer, sampleCount: number, p: number, seed: number): Uint8Array {
  const next = uniforms(seed + 15_485_863 * (layer.index + 1));
  return new Uint8Array(sampleCount * elementCount(layer.output)).map(() => (next() < p ? 0 : 1));
}
