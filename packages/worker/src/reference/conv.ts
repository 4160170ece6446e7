/** Convolution as torch.nn.Conv2d: square kernel, zero padding, stride, groups. */

import { assert } from '@lockstep/core/errors';
import type { Layer, Shape } from '@lockstep/core/model';
import { elementCount } from '@lockstep/core/model';
import { addAt, addScaled, at, dotStrided, forEachPlane, zeroShard } from './tensor.js';

export interface ConvGeometry {
  readonly input: Shape;
  readonly output: Shape;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly groups: number;
}

export function convGeometry(layer: Layer): ConvGeometry {
  const { spec, input, output } = layer;
  assert(spec.type === 'conv', () => `layer ${layer.index} is ${spec.type}, not conv`);
  return { input, output, kernel: spec.kernel, stride: spec.stride, padding: spec.padding, groups: spec.groups };
}

/** Elements of the weight, laid out [out][in/groups][kernel row][kernel column]. */
export const convWeightSize = ({ input, output, kernel, groups }: ConvGeometry): number =>
  output.channels * (input.channels / groups) * kernel * kernel;

/** out = bias + sum over taps of weight * input; bias [out] or undefined. */
export function convForward(
  geometry: ConvGeometry,
  sampleCount: number,
  input: Float64Array,
  weight: Float64Array,
  bias: Float64Array | undefined,
): Float64Array {
  const out = zeroShard(geometry.output, sampleCount);
  if (bias) {
    forEachPlane(geometry.output, sampleCount, (channel, start, end) => out.fill(at(bias, channel), start, end));
  }
  forEachTapRow(geometry, sampleCount, (tap, inStart, outStart, count) => {
    const from = { values: input, start: inStart, stride: geometry.stride };
    addScaled({ values: out, start: outStart, stride: 1 }, at(weight, tap), from, count);
  });
  return out;
}

/** Gradient of the input. */
export function convInputGradient(
  geometry: ConvGeometry,
  sampleCount: number,
  weight: Float64Array,
  dOut: Float64Array,
): Float64Array {
  const dInput = zeroShard(geometry.input, sampleCount);
  forEachTapRow(geometry, sampleCount, (tap, inStart, outStart, count) => {
    const to = { values: dInput, start: inStart, stride: geometry.stride };
    addScaled(to, at(weight, tap), { values: dOut, start: outStart, stride: 1 }, count);
  });
  return dInput;
}

/** Gradient of the weight, summed over the samples. */
export function convWeightGradient(
  geometry: ConvGeometry,
  sampleCount: number,
  input: Float64Array,
  dOut: Float64Array,
): Float64Array {
  const dWeight = new Float64Array(convWeightSize(geometry));
  forEachTapRow(geometry, sampleCount, (tap, inStart, outStart, count) => {
    const inRow = { values: input, start: inStart, stride: geometry.stride };
    addAt(dWeight, tap, dotStrided(inRow, { values: dOut, start: outStart, stride: 1 }, count));
  });
  return dWeight;
}

/** `count` pairs: weight element `tap` joins input `inStart + i * stride` to output `outStart + i`. */
type VisitTapRow = (tap: number, inStart: number, outStart: number, count: number) => void;

/**
 * Visits every (weight element, output row) of a shard once. Forward and both gradients are the same walk; positions
 * that fall on the padding are left out, since they add nothing.
 */
function forEachTapRow(geometry: ConvGeometry, sampleCount: number, visit: VisitTapRow): void {
  const { input, output, kernel, stride, padding, groups } = geometry;
  const inPerGroup = input.channels / groups;
  const outPerGroup = output.channels / groups;
  const columns = insideRanges(input.width, output.width, geometry);
  const rows = insideRanges(input.height, output.height, geometry);
  for (let tap = 0; tap < convWeightSize(geometry); tap++) {
    const kx = tap % kernel;
    const ky = Math.floor(tap / kernel) % kernel;
    const inOfGroup = Math.floor(tap / kernel ** 2) % inPerGroup;
    const outChannel = Math.floor(tap / (kernel ** 2 * inPerGroup));
    const inChannel = Math.floor(outChannel / outPerGroup) * inPerGroup + inOfGroup;
    const [firstX, count] = columns(kx);
    const [firstY, rowCount] = rows(ky);
    for (let sample = 0; sample < sampleCount; sample++) {
      const inPlane = sample * elementCount(input) + inChannel * input.height * input.width;
      const outPlane = sample * elementCount(output) + outChannel * output.height * output.width;
      for (let y = firstY; y < firstY + rowCount; y++) {
        const inRow = inPlane + (y * stride + ky - padding) * input.width;
        visit(tap, inRow + firstX * stride + kx - padding, outPlane + y * output.width + firstX, count);
      }
    }
  }
}

/** For a kernel offset k: [first, count] of the outputs o whose input o * stride + k - padding is inside the image. */
function insideRanges(inSide: number, outSide: number, { stride, padding }: ConvGeometry) {
  return (k: number): [first: number, count: number] => {
    const first = Math.max(0, Math.ceil((padding - k) / stride));
    const last = Math.min(outSide - 1, Math.floor((inSide - 1 + padding - k) / stride));
    return [first, Math.max(0, last - first + 1)];
  };
}
