/** Frozen layers and label smoothing: what the program leaves out, and that the rest is as it was. */
import { inferLayers } from '@lockstep/core/model';
import { planContribution } from '@lockstep/core/run';
import { type ModelSpec, parseModelSpec, recipeSchema } from '@lockstep/core/spec';
import { availableIsas } from '@lockstep/kernels';
import { describe, expect, it } from 'vitest';
import { drawRandomShard, NOISE_NORMALIZATION } from '../reference/random-shard.js';
import { compile } from './compile.js';
import { compareStep, TOLERANCE, worstError } from './test-comparison.js';
import { bytesOf, type NativeRun, prepareNativeStep } from './test-harness.js';

const INPUT = { channels: 2, height: 8, width: 7 };
const model = (layers: unknown[], classes = 3): ModelSpec =>
  parseModelSpec({ name: 'frozen', input: INPUT, classes, layers });

const convs = model([
  { type: 'conv', name: 'a', outChannels: 4, kernel: 3, padding: 1 },
  { type: 'relu' },
  { type: 'conv', name: 'b', outChannels: 5, kernel: 3 },
  { type: 'relu' },
  { type: 'maxPool', kernel: 2 },
  { type: 'flatten' },
  { type: 'linear', name: 'c', outFeatures: 20 },
  { type: 'relu' },
  { type: 'linear', name: 'd', outFeatures: 3 },
]);

/** Its first dense layer is large: a wave stage. */
const wide = model([
  { type: 'conv', name: 'a', outChannels: 4, kernel: 3 },
  { type: 'relu' },
  { type: 'flatten' },
  { type: 'linear', name: 'c', outFeatures: 300 },
  { type: 'relu' },
  { type: 'linear', name: 'd', outFeatures: 3 },
]);

const SAMPLES = 40;

function prepare(spec: ModelSpec, freeze: string[] | undefined, isa: string): NativeRun {
  const { parameters, buffers, images, labels } = drawRandomShard(inferLayers(spec), { seed: 5, sampleCount: SAMPLES });
  const normalization = {
    mean: INPUT.channels === 2 ? [NOISE_NORMALIZATION.mean, NOISE_NORMALIZATION.mean] : [],
    std: [NOISE_NORMALIZATION.std, NOISE_NORMALIZATION.std],
  };
  const recipe = { batchSize: SAMPLES, ...(freeze && { freeze }) };
  return prepareNativeStep({
    model: spec,
    recipe,
    parameters,
    buffers,
    images,
    labels,
    samples: SAMPLES,
    normalization,
    isa,
  });
}

/** How often each kernel is called by a model's program, by its record in packages/kernels/src/program.ts. */
function countOps(spec: ModelSpec, freeze?: string[]): Map<number, number> {
  const layers = inferLayers(spec);
  const { code } = compile({
    layers,
    layout: planContribution(layers),
    recipe: recipeSchema.parse(freeze ? { freeze } : {}),
    normalization: { mean: [0.5, 0.5], std: [0.3, 0.3] },
  });
  const counts = new Map<number, number>();
  const HEADER = 6;
  const FIRST_OP = 11;
  for (let at = HEADER; at < code.length; at += 2 + (code[at + 1] as number)) {
    const record = code[at] as number;
    if (record >= FIRST_OP) counts.set(record, (counts.get(record) ?? 0) + 1);
  }
  return counts;
}

const DENSE_WEIGHT_GRADIENT = 19;
const DENSE_INPUT_GRADIENT = 20;
const POST_BACKWARD = 22;
const CONV_WEIGHT_GRADIENT = 24;
const CONV_INPUT_GRADIENT = 25;

describe('the program of a model with frozen layers', () => {
  const total = (counts: Map<number, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);

  it('has no backward op below the lowest layer that is trained', () => {
    const all = countOps(convs);
    const head = countOps(convs, ['a', 'b', 'c']);
    expect([all.get(CONV_WEIGHT_GRADIENT), all.get(CONV_INPUT_GRADIENT)]).toEqual([2, 1]);
    expect([all.get(DENSE_WEIGHT_GRADIENT), all.get(DENSE_INPUT_GRADIENT)]).toEqual([2, 2]);
    for (const record of [CONV_WEIGHT_GRADIENT, CONV_INPUT_GRADIENT, DENSE_INPUT_GRADIENT, POST_BACKWARD]) {
      expect(head.get(record)).toBeUndefined();
    }
    expect(head.get(DENSE_WEIGHT_GRADIENT)).toBe(1);
    expect(total(head)).toBeLessThan(total(all));
  });

  it('passes the gradient through a frozen layer to a trained one below it', () => {
    const counts = countOps(convs, ['b', 'c']);
    expect([counts.get(CONV_WEIGHT_GRADIENT), counts.get(CONV_INPUT_GRADIENT)]).toEqual([1, 1]);
    expect([counts.get(DENSE_WEIGHT_GRADIENT), counts.get(DENSE_INPUT_GRADIENT)]).toEqual([1, 2]);
  });
});

describe.each(availableIsas())('on the %s kernels', (isa) => {
  it.each<[string, ModelSpec, string[]]>([
    ['all before the dense layers', convs, ['features.*']],
    ['all but the head', convs, ['a', 'b', 'c']],
    ['a layer in the middle', convs, ['b']],
    ['the first layer', convs, ['a']],
    ['biases', convs, ['*.bias']],
    ['all but the head, with a wave stage', wide, ['a', 'c']],
    ['a layer of a wave stage', wide, ['c']],
  ])('the others have the same gradients, to the bit, when frozen are: %s', (_, spec, freeze) => {
    const before = prepare(spec, undefined, isa);
    const after = prepare(spec, freeze, isa);
    const expected = before.parts(before.contribute());
    const parts = after.parts(
      after.contribute([
        { begin: 0, end: 2 },
        { begin: 2, end: 3 },
      ]),
    );
    const trained = parts.filter(({ values }) => !Number.isNaN(values[0] as number));
    expect(trained.length).toBeGreaterThan(1);
    for (const { name, values } of trained) {
      const same = expected.find((part) => part.name === name);
      expect(bytesOf(values), name).toEqual(bytesOf(same?.values as Float32Array));
    }
  });

  it('a frozen batch norm is the affine map of its running statistics', () => {
    const channels = 4;
    const first = { type: 'conv', name: 'a', outChannels: channels, kernel: 3 };
    const rest = [{ type: 'relu' }, { type: 'flatten' }, { type: 'linear', name: 'd', outFeatures: 3 }];
    const norm = model([first, { type: 'batchNorm', name: 'n' }, ...rest]);
    const affine = model([
      first,
      { type: 'conv', name: 'n', outChannels: channels, kernel: 1, groups: channels },
      ...rest,
    ]);
    const shard = drawRandomShard(inferLayers(norm), { seed: 9, sampleCount: SAMPLES });
    const [weight, bias, gamma, beta, ...head] = shard.parameters as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const [mean, variance] = shard.buffers as [Float64Array, Float64Array];
    const scale = gamma.map((g, c) => g / Math.sqrt((variance[c] as number) + 1e-5));
    const shift = beta.map((b, c) => b - (mean[c] as number) * (scale[c] as number));
    const { images, labels } = shard;
    const common = { images, labels, samples: SAMPLES, isa };
    const frozen = prepareNativeStep({
      ...common,
      model: norm,
      recipe: { freeze: ['n'], batchSize: SAMPLES },
      parameters: shard.parameters,
      buffers: shard.buffers,
    });
    const plain = prepareNativeStep({
      ...common,
      model: affine,
      recipe: { batchSize: SAMPLES },
      parameters: [weight, bias, scale, shift, ...head],
      buffers: [],
    });
    const expected = new Map(plain.parts(plain.contribute()).map(({ name, values }) => [name, values]));
    const parts = frozen.parts(frozen.contribute()).filter(({ name }) => !/^(n\.|statistics)/.test(name));
    expect(parts.map(({ name }) => name)).toEqual(['a.weight', 'a.bias', 'd.weight', 'd.bias', 'result']);
    for (const { name, values } of parts) {
      const other = expected.get(name) as Float32Array;
      const largest = other.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (const [i, value] of values.entries()) {
        expect(Math.abs(value - (other[i] as number)) / largest, name).toBeLessThan(TOLERANCE);
      }
    }
  });

  it.each([0.05, 0.5, 1])('label smoothing of %f is that of the float64 reference', (labelSmoothing) => {
    const shard = drawRandomShard(inferLayers(convs), { seed: 11, sampleCount: SAMPLES });
    const { parameters, buffers, images, labels } = shard;
    const normalization = NOISE_NORMALIZATION;
    const step = {
      model: convs,
      parameters,
      buffers,
      images,
      labels,
      samples: SAMPLES,
      shardSize: 16,
      normalization,
      isas: [isa],
    };
    expect(worstError(compareStep({ ...step, labelSmoothing }))).toBeLessThan(TOLERANCE);
    expect(worstError(compareStep(step))).toBeLessThan(TOLERANCE);
  });
});
