/**
 * Convolutions of drawn sizes against float64. The networks are linear up to the loss: no ReLU and no pool that rounding
 * could decide, so that every draw must be within the tolerance, without a median.
 */
import { inferLayers } from '@lockstep/core/model';
import { type ModelSpec, parseModelSpec } from '@lockstep/core/spec';
import { availableIsas } from '@lockstep/kernels';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawRandomShard, NOISE_NORMALIZATION } from '../reference/random-shard.js';
import { compareStep, describeErrors, worstExcess } from './test-comparison.js';
import { bytesOf, prepareNativeStep } from './test-harness.js';

interface Draw {
  readonly height: number;
  readonly width: number;
  /** Channels of the convolution's input, which a 1x1 convolution makes: so it has an input gradient. */
  readonly ins: number;
  readonly outs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly groups: number;
  readonly bias: boolean;
  /** Of a convolution behind it, of up to 3x3, that reads it with a border; or none. */
  readonly nextPadding: number | undefined;
  readonly samples: number;
  readonly seed: number;
}

function modelOf(draw: Draw): ModelSpec {
  const { height, width, ins, outs, kernel, stride, padding, groups, bias, nextPadding } = draw;
  const fits = Math.min(kernel, height + 2 * padding, width + 2 * padding);
  const side = (n: number): number => Math.floor((n + 2 * padding - fits) / stride) + 1;
  const next = Math.min(3, side(height) + 2 * (nextPadding ?? 0), side(width) + 2 * (nextPadding ?? 0));
  const layers = [
    { type: 'conv', outChannels: ins * groups, kernel: 1 },
    { type: 'conv', outChannels: outs * groups, kernel: fits, stride, padding, groups, bias },
    ...(nextPadding === undefined ? [] : [{ type: 'conv', outChannels: 8, kernel: next, padding: nextPadding }]),
    { type: 'flatten' },
    { type: 'linear', outFeatures: 3 },
  ];
  return parseModelSpec({ name: 'convolution', input: { channels: 2, height, width }, classes: 3, layers });
}

function expectAsReference(draw: Draw): void {
  const model = modelOf(draw);
  const { samples, seed } = draw;
  const shard = drawRandomShard(inferLayers(model), { seed, sampleCount: samples });
  const { parameters, buffers, images, labels } = shard;
  const step = { model, parameters, buffers, images, labels, samples };
  // a bias may have a gradient whose terms cancel: then rounding excuses an error
  const errors = compareStep({ ...step, shardSize: 16, normalization: NOISE_NORMALIZATION }, [seed, seed + 1]);
  expect(worstExcess(errors), describeErrors([errors])).toBeLessThan(1);
  const runs = availableIsas().map((isa) => prepareNativeStep({ ...step, isa }));
  const [first, ...others] = runs.map((run) => bytesOf(run.contribute()));
  for (const other of others) expect(other.equals(first as Buffer)).toBe(true);
  runs[0]?.poisonScratch();
  expect(bytesOf(runs[0]?.contribute() as Float32Array).equals(first as Buffer), 'after a step from NaN').toBe(true);
}

const common = {
  height: fc.integer({ min: 1, max: 11 }),
  width: fc.integer({ min: 1, max: 11 }),
  bias: fc.boolean(),
  nextPadding: fc.constantFrom(undefined, 1, 2),
  samples: fc.integer({ min: 1, max: 16 }),
  seed: fc.nat(),
};

describe('a convolution against float64, with the same bits on every build', () => {
  it('of any kernel, stride, padding and groups', () => {
    const draws = fc.record({
      ...common,
      ins: fc.integer({ min: 1, max: 6 }),
      outs: fc.integer({ min: 1, max: 9 }),
      kernel: fc.integer({ min: 1, max: 7 }),
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.integer({ min: 0, max: 4 }),
      groups: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(fc.property(draws, expectAsReference), { numRuns: 40 });
  });

  it('of 3x3 and many channels, by Winograd where that pays', () => {
    const draws = fc.record({
      ...common,
      ins: fc.integer({ min: 8, max: 20 }),
      outs: fc.integer({ min: 8, max: 20 }),
      kernel: fc.constant(3),
      stride: fc.constant(1),
      padding: fc.integer({ min: 0, max: 3 }),
      groups: fc.constant(1),
    });
    fc.assert(fc.property(draws, expectAsReference), { numRuns: 20 });
  });

  it.each([
    [8, 8, 0],
    [8, 8, 1],
    [4, 12, 2],
    [5, 9, 1],
  ])('of 3x3 and 33 to 35 channels on %ix%i pixels, padded by %i', (height, width, padding) => {
    const sizes = { height, width, padding, ins: 33, outs: 35, kernel: 3, stride: 1, groups: 1 };
    expectAsReference({ ...sizes, bias: true, nextPadding: undefined, samples: 5, seed: 1 });
  });

  it.each([
    [6, undefined],
    [1, undefined],
    [3, undefined],
    // a dense layer gives no border, and this reader wants one
    [3, 1],
    [1, 2],
  ])('over a whole image of side %i, as a dense layer, read with a border of %s', (side, nextPadding) => {
    const sizes = { height: side, width: side, kernel: side, padding: 0, ins: 9, outs: 13, stride: 1, groups: 1 };
    expectAsReference({ ...sizes, bias: true, nextPadding, samples: 13, seed: 2 });
  });
});
