/** For tests of exports: digits, a network that has learned them, and its logits from the kernels. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { assumeData, type DataNotes, type Dataset, describeData } from '@lockstep/core/data';
import { loadMnist } from '@lockstep/core/data/mnist';
import { inferLayers } from '@lockstep/core/model';
import { initialBuffers, initialParameters, type ModelState } from '@lockstep/core/run';
import { type ModelSpec, recipeSchema } from '@lockstep/core/spec';
import { findZooModel } from '@lockstep/core/zoo';
import { LocalNode } from '@lockstep/worker/node';

export interface Trained {
  readonly model: ModelSpec;
  readonly state: ModelState;
  readonly notes: DataNotes;
}

const WORKERS = 2;

/** All of MNIST where it is at hand, else the digits that come with Lockstep. */
export function loadDigits(): Promise<Dataset> {
  const beside = path.join(import.meta.dirname, '../../../shared/mnist');
  const directory = process.env['LOCKSTEP_MNIST'] ?? (existsSync(beside) ? beside : undefined);
  return directory === undefined ? loadMnist({ offline: true }) : loadMnist({ directory });
}

/** A zoo model after some steps of its own recipe. */
export async function trainDigits(name: string, dataset: Dataset, steps: number): Promise<Trained> {
  const { model, recipe } = findZooModel(name);
  const node = new LocalNode({ model, recipe, dataset, seed: 1, workers: WORKERS });
  try {
    const epochSteps = Math.ceil(dataset.train.count / recipe.batchSize);
    for (let step = 0, epoch = 0; step < steps; step += epochSteps, epoch++) {
      await node.train({ epoch, firstStep: step, endStep: Math.min(steps, step + epochSteps) });
    }
    return { model, state: node.readState(), notes: describeData(dataset) };
  } finally {
    await node.close();
  }
}

/** A zoo model that has learned nothing, with running statistics that are not the usual 0 and 1. */
export function makeUntrained(model: ModelSpec): Trained {
  const layers = inferLayers(model);
  const buffers = initialBuffers(layers).map((values, index) =>
    values.map((value, i) => value + 0.1 * (((i * 7 + index * 3) % 5) / 5)),
  );
  return { model, state: { parameters: initialParameters(layers, 1), buffers }, notes: assumeData(model) };
}

export interface Reference {
  /** [sample][classes]. */
  readonly logits: Float32Array;
  /** One per sample. */
  readonly predicted: readonly number[];
}

/** What the kernels give for the first `count` test images. */
export async function computeReference({ model, state }: Trained, dataset: Dataset, count: number): Promise<Reference> {
  const bytes = dataset.test.images.length / dataset.test.count;
  const test = {
    count,
    images: dataset.test.images.subarray(0, count * bytes),
    labels: dataset.test.labels.subarray(0, count),
  };
  const options = { model, recipe: recipeSchema.parse({}), seed: 0, workers: WORKERS, initial: state };
  const node = new LocalNode({ ...options, dataset: { ...dataset, test } });
  try {
    const { logits, predictions } = await node.evaluate('test', { logits: true });
    const predicted = Array.from({ length: count }, (_, index) => predictions[2 * index] as number);
    return { logits: logits as Float32Array, predicted };
  } finally {
    await node.close();
  }
}

/** The first largest of each row of `classes` values. */
export function findLargest(values: ArrayLike<number>, classes: number): number[] {
  return Array.from({ length: values.length / classes }, (_, row) => {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if ((values[row * classes + c] as number) > (values[row * classes + best] as number)) best = c;
    }
    return best;
  });
}

/** Largest difference between logits, as a share of the largest logit (of 1, if all are smaller). */
export function measureDifference(found: ArrayLike<number>, expected: Float32Array): number {
  let difference = 0;
  let largest = 1;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs((found[i] as number) - (expected[i] as number)));
    largest = Math.max(largest, Math.abs(expected[i] as number));
  }
  return difference / largest;
}
