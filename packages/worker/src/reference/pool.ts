/** Pooling as torch.nn.MaxPool2d, AvgPool2d (floor mode, no padding) and AdaptiveAvgPool2d(1). */

import { assert } from '@lockstep/core/errors';
import type { Layer, Shape } from '@lockstep/core/model';
import { addAt, at, forEachPlane, zeroShard } from './tensor.js';

export interface PoolGeometry {
  readonly input: Shape;
  readonly output: Shape;
  readonly kernel: number;
  readonly stride: number;
}

export function poolGeometry(layer: Layer): PoolGeometry {
  const { spec, input, output } = layer;
  assert(spec.type === 'maxPool' || spec.type === 'avgPool', () => `layer ${layer.index} is ${spec.type}, not a pool`);
  return { input, output, kernel: spec.kernel, stride: spec.stride ?? spec.kernel };
}

export interface MaxPoolOutput {
  readonly out: Float64Array;
  /** For each output the index of the input it took: of equal values the first in row order. */
  readonly winners: Int32Array;
}

export function maxPoolForward(geometry: PoolGeometry, sampleCount: number, input: Float64Array): MaxPoolOutput {
  const out = zeroShard(geometry.output, sampleCount);
  const winners = new Int32Array(out.length);
  forEachWindow(geometry, sampleCount, (o, firstInput) => {
    let winner = firstInput;
    forEachInWindow(geometry, firstInput, (i) => {
      if (at(input, i) > at(input, winner)) winner = i;
    });
    out[o] = at(input, winner);
    winners[o] = winner;
  });
  return { out, winners };
}

/** Gradient of the input: each output's gradient goes to its winner. */
export function maxPoolBackward(
  geometry: PoolGeometry,
  sampleCount: number,
  winners: Int32Array,
  dOut: Float64Array,
): Float64Array {
  const dInput = zeroShard(geometry.input, sampleCount);
  winners.forEach((winner, o) => {
    addAt(dInput, winner, at(dOut, o));
  });
  return dInput;
}

export function avgPoolForward(geometry: PoolGeometry, sampleCount: number, input: Float64Array): Float64Array {
  const out = zeroShard(geometry.output, sampleCount);
  forEachWindow(geometry, sampleCount, (o, firstInput) => {
    let sum = 0;
    forEachInWindow(geometry, firstInput, (i) => {
      sum += at(input, i);
    });
    out[o] = sum / geometry.kernel ** 2;
  });
  return out;
}

export function avgPoolBackward(geometry: PoolGeometry, sampleCount: number, dOut: Float64Array): Float64Array {
  const dInput = zeroShard(geometry.input, sampleCount);
  forEachWindow(geometry, sampleCount, (o, firstInput) => {
    const share = at(dOut, o) / geometry.kernel ** 2;
    forEachInWindow(geometry, firstInput, (i) => addAt(dInput, i, share));
  });
  return dInput;
}

/** Mean of each plane: [sample][channel]. */
export function globalAvgPoolForward(shape: Shape, sampleCount: number, input: Float64Array): Float64Array {
  const means: number[] = [];
  forEachPlane(shape, sampleCount, (_channel, start, end) => {
    let sum = 0;
    for (let i = start; i < end; i++) sum += at(input, i);
    means.push(sum / (end - start));
  });
  return Float64Array.from(means);
}

/** `shape` is the input's; dOut is [sample][channel]. */
export function globalAvgPoolBackward(shape: Shape, sampleCount: number, dOut: Float64Array): Float64Array {
  const dInput = zeroShard(shape, sampleCount);
  forEachPlane(shape, sampleCount, (_channel, start, end) => {
    const size = end - start;
    dInput.fill(at(dOut, start / size) / size, start, end);
  });
  return dInput;
}

/** Visits every output of a shard with the index of its window's top left input. */
function forEachWindow(
  { input, output, stride }: PoolGeometry,
  sampleCount: number,
  visit: (output: number, firstInput: number) => void,
): void {
  for (let plane = 0; plane < sampleCount * input.channels; plane++) {
    for (let y = 0; y < output.height; y++) {
      for (let x = 0; x < output.width; x++) {
        visit(
          (plane * output.height + y) * output.width + x,
          (plane * input.height + y * stride) * input.width + x * stride,
        );
      }
    }
  }
}

/** Visits the inputs of one window in row order. */
function forEachInWindow({ input, kernel }: PoolGeometry, firstInput: number, visit: (input: number) => void): void {
  for (let y = 0; y < kernel; y++) {
    for (let x = 0; x < kernel; x++) visit(firstInput + y * input.width + x);
  }
}
