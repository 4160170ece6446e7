/** The same bits, whichever build computes, however the shards are dealt out, and whatever was computed before. */
import { inferLayers } from '@lockstep/core/model';
import { listGradients, reduceCanonically, type ShardRange } from '@lockstep/core/run';
import { parseModelSpec, type RecipeInput } from '@lockstep/core/spec';
import { zooModels } from '@lockstep/core/zoo';
import { availableIsas } from '@lockstep/kernels';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomModel, randomShard } from '../reference/random-models.js';
import { drawRandomShard } from '../reference/random-shard.js';
import { findZoo, initialState, jitterDigits } from './test-digits.js';
import { bytesOf, type NativeRun, prepareNativeStep } from './test-harness.js';

const ISAS = availableIsas();
const SLOW = 'wasm-exact';
const MODELS = zooModels.map(({ model }) => model.name);
/** Dropout is each model's own. */
const RECIPE: RecipeInput = { augmentation: { rotation: 10, shift: 2, scale: 0.1 } };
const SEED = 5;

interface DigitsRun {
  readonly samples: number;
  readonly recipe?: RecipeInput;
  readonly isa?: string;
  readonly step?: number;
  readonly epoch?: number;
}

async function prepareDigits(name: string, options: DigitsRun): Promise<NativeRun> {
  const { images, labels } = await jitterDigits(options.samples, SEED);
  const normalization = { mean: [0.1307], std: [0.3081] };
  const model = findZoo(name).model;
  return prepareNativeStep({
    model,
    recipe: RECIPE,
    ...initialState(name, SEED),
    images,
    labels,
    normalization,
    ...options,
  });
}

const contributeBytes = async (name: string, options: DigitsRun): Promise<Buffer> =>
  bytesOf((await prepareDigits(name, options)).contribute());

const expectSame = (actual: Buffer, expected: Buffer, what: string): void =>
  expect(actual.equals(expected), `${what}: ${describeDifference(actual, expected)}`).toBe(true);

function describeDifference(actual: Buffer, expected: Buffer): string {
  const [a, b] = [actual, expected].map((bytes) => new Float32Array(Uint8Array.from(bytes).buffer));
  const at = a?.findIndex((value, i) => !Object.is(value, b?.[i])) ?? -1;
  return at < 0 ? `${actual.length} and ${expected.length} bytes` : `float ${at} is ${a?.[at]}, expected ${b?.[at]}`;
}

describe('contributions of the zoo, dropout and augmentation on', () => {
  it.each(MODELS)('%s: every build of the kernels gives the same bits', async (name) => {
    // three shards, the last one short; cnn11m on wasm-exact, seconds a shard, is in test/one-process/same-bits-kernels.slow.test.ts
    const isBig = name === 'cnn11m';
    const samples = isBig ? 13 : 45;
    const [first, ...rest] = ISAS.filter((isa) => !isBig || isa !== SLOW);
    const expected = await contributeBytes(name, { samples, isa: first as string });
    expect(new Float32Array(Uint8Array.from(expected).buffer).every(Number.isFinite)).toBe(true);
    for (const isa of rest) expectSame(await contributeBytes(name, { samples, isa }), expected, `${isa} and ${first}`);
  });

  it.each(MODELS)('%s: however the shards are dealt out, the same bits', async (name) => {
    const samples = name === 'cnn11m' ? 3 * 16 + 5 : 10 * 16 + 5;
    const run = await prepareDigits(name, { samples });
    const expected = bytesOf(run.contribute());
    const deals =
      name === 'cnn11m'
        ? [[0, 1, 4]]
        : [
            [0, 3, 8, 11],
            [0, 1, 2, 7, 9, 11],
            [0, 8, 11],
            [0, 5, 6, 11],
          ];
    for (const cuts of deals) {
      const ranges = cuts.slice(1).map((end, i): ShardRange => ({ begin: cuts[i] as number, end }));
      expectSame(bytesOf(run.contribute(ranges)), expected, `cuts ${cuts.join(' ')}`);
    }
  });

  it.each(MODELS)('%s: padding stays 0', async (name) => {
    const run = await prepareDigits(name, { samples: name === 'cnn11m' ? 16 + 5 : 45 });
    for (const partial of run.computePartials(0, run.shards)) expect(run.paddingOf(partial)).toBe(0);
  });

  it.each(MODELS)('%s: nothing of what was computed before is left, be it NaN', async (name) => {
    const samples = name === 'cnn11m' ? 16 + 5 : 10 * 16 + 5;
    const run = await prepareDigits(name, { samples });
    const expected = bytesOf(run.contribute());
    expectSame(bytesOf(run.contribute()), expected, 'a second time');
    run.computePartials(1, 2);
    expectSame(bytesOf(run.contribute()), expected, 'after another range');
    const evaluated = bytesOf(run.evaluate().results);
    expectSame(bytesOf(run.contribute()), expected, 'after an evaluation');
    run.poisonScratch();
    expectSame(bytesOf(run.contribute()), expected, 'after a step from NaN');
    run.poisonScratch();
    expectSame(bytesOf(run.evaluate().results), evaluated, 'an evaluation after a step from NaN');
  });

  it('change with the step where there is dropout, and with the epoch where there is augmentation', async () => {
    const original = await contributeBytes('net19k', { samples: 16 });
    const nextStep = await contributeBytes('net19k', { samples: 16, step: 1 });
    const nextEpoch = await contributeBytes('net19k', { samples: 16, epoch: 1 });
    const plain = await contributeBytes('net19k', { samples: 16, recipe: {} });
    for (const other of [nextStep, nextEpoch, plain]) expect(other.equals(original)).toBe(false);
  });
});

describe('contributions in bf16', () => {
  const recipe: RecipeInput = { ...RECIPE, gradientPrecision: 'bf16' };
  // no dense layer in a wave stage; one, with a few shards left over; one, with shards of two blocks
  const cases: [string, RecipeInput][] = [
    ['tiny6k', {}],
    ['net19k', {}],
    ['lenet5', {}],
    ['lenet5', { shardSize: 32 }],
  ];

  it.each(cases)('of %s %j are those of single shards, rounded and added by the definition', async (name, more) => {
    const samples = 11 * (more.shardSize ?? 16) + 5;
    const float32 = await prepareDigits(name, { samples, recipe: { ...RECIPE, ...more } });
    const leaves = Array.from(
      { length: float32.shards },
      (_, s) => float32.computePartials(s, s + 1)[0] as Float32Array,
    );
    const rounded = listGradients(float32.layout);
    const expected = bytesOf(reduceCanonically(leaves, rounded));
    expect(expected.equals(bytesOf(reduceCanonically(leaves)))).toBe(false);
    for (const isa of name === 'lenet5' ? ISAS.filter((isa) => isa !== SLOW) : ISAS.slice(0, 1)) {
      const run = await prepareDigits(name, { samples, recipe: { ...recipe, ...more }, isa });
      expectSame(bytesOf(run.contribute()), expected, `${isa} and the definition`);
      for (const cuts of [
        [0, 3, 8, 12],
        [0, 1, 2, 7, 9, 12],
      ]) {
        const ranges = cuts.slice(1).map((end, i): ShardRange => ({ begin: cuts[i] as number, end }));
        expectSame(bytesOf(run.contribute(ranges)), expected, `${isa}, cuts ${cuts.join(' ')}`);
      }
    }
  });
});

it('leaves the padding of contributions at 0, in wave stages too', async () => {
  const layers = [
    { type: 'flatten' },
    { type: 'linear', outFeatures: 300 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'linear', outFeatures: 77 },
    { type: 'batchNorm' },
    { type: 'linear', outFeatures: 3 },
  ];
  const model = parseModelSpec({ name: 'wide', input: { channels: 2, height: 7, width: 6 }, classes: 3, layers });
  const { parameters, buffers, images, labels } = drawRandomShard(inferLayers(model), { seed: 1, sampleCount: 150 });
  const run = prepareNativeStep({ model, parameters, buffers, images, labels, samples: 150 });
  for (const partial of [...run.computePartials(0, 10), ...run.computePartials(1, 8)])
    expect(run.paddingOf(partial)).toBe(0);
});

describe('contributions of random models', () => {
  const dealt = fc.record({
    model: randomModel,
    draw: randomShard(1, 150),
    shardSize: fc.constantFrom(16, 32, 48),
    gradientPrecision: fc.constantFrom('float32' as const, 'bf16' as const),
    cuts: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }),
    augmentation: fc.record({
      rotation: fc.constantFrom(0, 10, 180),
      shift: fc.integer({ min: 0, max: 3 }),
      scale: fc.constantFrom(0, 0.1, 0.9),
    }),
  });

  it('are the same bits on every build, for every deal, twice, and after NaN', () => {
    fc.assert(
      fc.property(dealt, ({ model, draw, shardSize, gradientPrecision, cuts, augmentation }) => {
        const spec = parseModelSpec(model);
        const { parameters, buffers, images, labels } = drawRandomShard(inferLayers(spec), draw);
        const prepare = (isa: string): NativeRun =>
          prepareNativeStep({
            model: spec,
            recipe: { augmentation, shardSize, gradientPrecision },
            parameters,
            buffers,
            images,
            labels,
            samples: draw.sampleCount,
            isa,
          });
        const [first, ...others] = ISAS.map(prepare) as [NativeRun, ...NativeRun[]];
        const expected = bytesOf(first.contribute());
        for (const other of others) expectSame(bytesOf(other.contribute()), expected, 'another build');
        const inside = [...new Set(cuts.filter((cut) => cut < first.shards))].sort((a, b) => a - b);
        const bounds = [0, ...inside, first.shards];
        const ranges = bounds.slice(1).map((end, i) => ({ begin: bounds[i] as number, end }));
        expectSame(bytesOf(first.contribute(ranges)), expected, `cuts ${bounds.join(' ')}`);
        first.poisonScratch();
        expectSame(bytesOf(first.contribute()), expected, 'after a step from NaN');
      }),
      { numRuns: 60 },
    );
  });
});
