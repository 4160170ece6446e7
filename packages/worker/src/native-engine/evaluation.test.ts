/** Evaluation: running statistics, no dropout, no augmentation; native against float64. */
import { elementCount, inferLayers, type Layer, modelParameters } from '@lockstep/core/model';
import { shardCount } from '@lockstep/core/run';
import { parseModelSpec } from '@lockstep/core/spec';
import { zooModels } from '@lockstep/core/zoo';
import { availableIsas } from '@lockstep/kernels';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizePixels } from '../reference/augmentation.js';
import { type NetworkResult, runNetwork } from '../reference/network.js';
import { randomModel, randomShard } from '../reference/random-models.js';
import { drawRandomShard, NOISE_NORMALIZATION } from '../reference/random-shard.js';
import { randomBuffers } from '../reference/random-values.js';
import { type ComparedStep, TOLERANCE } from './test-comparison.js';
import { findZoo, initialState, jitterDigits } from './test-digits.js';
import { bytesOf, type NativeRun, prepareNativeStep } from './test-harness.js';

type Evaluated = Omit<ComparedStep, 'shardSize' | 'labelSmoothing'> & { readonly shardSize?: number };

function prepare({ normalization, shardSize = 16, ...step }: Evaluated): NativeRun {
  const perChannel = (value: number): number[] => Array.from({ length: step.model.input.channels }, () => value);
  return prepareNativeStep({
    ...step,
    // neither may show in an evaluation
    recipe: { shardSize, augmentation: { rotation: 30, shift: 3, scale: 0.3 } },
    normalization: { mean: perChannel(normalization.mean), std: perChannel(normalization.std) },
  });
}

function runReference({ model, images, labels, samples, normalization, ...state }: Evaluated): NetworkResult {
  return runNetwork({
    layers: inferLayers(model),
    parameters: state.parameters.map((values) => Float64Array.from(values)),
    buffers: state.buffers.map((values) => Float64Array.from(values)),
    input: normalizePixels(images.subarray(0, samples * elementCount(model.input)), normalization),
    labels: labels.slice(0, samples),
    sampleCount: samples,
    train: false,
  });
}

/** Compares logits, predictions, probabilities, losses and counts. */
function expectAsReference(step: Evaluated): void {
  const { results, logits } = prepare(step).evaluate();
  const expected = runReference(step);
  const { classes } = step.model;
  const largest = expected.logits.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  const difference = expected.logits.reduce((most, v, i) => Math.max(most, Math.abs(v - (logits[i] as number))), 0);
  expect(difference / largest).toBeLessThan(TOLERANCE);
  for (let sample = 0; sample < step.samples; sample++) {
    // what follows from the native logits follows exactly or to rounding
    const own = [...logits.subarray(sample * classes, (sample + 1) * classes)];
    const predicted = own.indexOf(Math.max(...own));
    expect(results[2 * sample]).toBe(predicted);
    const sum = own.reduce((total, value) => total + Math.exp(value - (own[predicted] as number)), 0);
    expect(Math.abs((results[2 * sample + 1] as number) * sum - 1)).toBeLessThan(1e-6);
  }
  const shards = shardCount(step.samples, step.shardSize ?? 16);
  const perShard = results.subarray(2 * step.samples);
  const lossSum = Array.from({ length: shards }, (_, i) => perShard[2 * i] as number).reduce((a, b) => a + b);
  expect(Math.abs(lossSum - expected.lossSum) / Math.max(1, expected.lossSum)).toBeLessThan(TOLERANCE);
}

/** Statistics away from 0 and 1, so that it shows whether they are used. */
const runningBuffers = (layers: readonly Layer[], seed: number): Float64Array[] => randomBuffers(layers, seed);

async function evaluatedDigits(name: string, samples: number, isa?: string): Promise<Evaluated> {
  const { model } = findZoo(name);
  const { parameters } = initialState(name, 3);
  const buffers = runningBuffers(inferLayers(model), 3);
  return { model, parameters, buffers, ...(await jitterDigits(samples, 3)), samples, ...(isa && { isa }) };
}

describe.each(zooModels.map(({ model }) => model.name))('evaluation of %s', (name) => {
  const samples = name === 'cnn11m' ? 5 : 45;

  it('is the reference with running statistics', async () => {
    expectAsReference(await evaluatedDigits(name, samples));
  });

  it('counts in each shard the samples whose prediction is their label, and sums their losses', async () => {
    const step = await evaluatedDigits(name, samples);
    const { results, logits } = prepare(step).evaluate();
    const { classes } = step.model;
    for (let shard = 0; 16 * shard < samples; shard++) {
      let correct = 0;
      let loss = 0;
      for (let sample = 16 * shard; sample < Math.min(samples, 16 * shard + 16); sample++) {
        const label = step.labels[sample] as number;
        if (results[2 * sample] === label) correct++;
        const own = [...logits.subarray(sample * classes, (sample + 1) * classes)];
        loss += Math.log(own.reduce((sum, value) => sum + Math.exp(value - (own[label] as number)), 0));
      }
      expect(results[2 * (samples + shard) + 1]).toBe(correct);
      expect(Math.abs((results[2 * (samples + shard)] as number) - loss) / loss).toBeLessThan(1e-5);
    }
  });
});

describe('evaluation', () => {
  it.each(['tiny6k', 'net19k', 'gap19k', 'lenet5', 'mynet'])('of %s: the same bits on every build', async (name) => {
    const runs = [];
    for (const isa of availableIsas()) runs.push(prepare(await evaluatedDigits(name, 45, isa)).evaluate());
    for (const run of runs.slice(1)) {
      expect(bytesOf(run.results).equals(bytesOf(runs[0]?.results as Float32Array))).toBe(true);
      expect(bytesOf(run.logits).equals(bytesOf(runs[0]?.logits as Float32Array))).toBe(true);
    }
  });

  it.each(['tiny6k', 'mynet'])(
    'of %s: a sample gets the same bits wherever its part of a split begins',
    async (name) => {
      const run = prepare(await evaluatedDigits(name, 200));
      const whole = run.evaluate(0, 200);
      for (const [first, count] of [
        [0, 1],
        [5, 37],
        [17, 183],
        [199, 1],
        [64, 128],
      ] as const) {
        const part = run.evaluate(first, count);
        const own = whole.results.subarray(2 * first, 2 * (first + count));
        expect(bytesOf(part.results.subarray(0, 2 * count)).equals(bytesOf(own))).toBe(true);
      }
    },
  );

  it('of random models is the reference: logits, predictions, probabilities, losses', () => {
    fc.assert(
      fc.property(randomModel, randomShard(1, 40), fc.constantFrom(16, 32), (drawn, draw, shardSize) => {
        const model = parseModelSpec(drawn);
        const layers = inferLayers(model);
        const { parameters, images, labels } = drawRandomShard(layers, draw);
        expect(parameters).toHaveLength(modelParameters(layers).length);
        const buffers = runningBuffers(layers, draw.seed);
        const normalization = NOISE_NORMALIZATION;
        const samples = draw.sampleCount;
        expectAsReference({ model, parameters, buffers, images, labels, samples, normalization, shardSize });
      }),
      { numRuns: 150 },
    );
  });
});
