/** Real training on full MNIST: the claims of the README. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { train } from '../../packages/cli/dist/api/session.js';
import { loadMnist } from '../../packages/core/dist/data/mnist/index.js';
import type { EpochEvent } from '../../packages/core/dist/events/index.js';
import { findZooModel } from '../../packages/core/dist/zoo/index.js';

const directory = process.env['LOCKSTEP_MNIST'] ?? path.resolve(import.meta.dirname, '../../../shared/mnist');
const hasMnist = existsSync(path.join(directory, 'train-images-idx3-ubyte.gz'));

/** Trains a model of the zoo by its recipe; its epochs, each printed as it ends. */
async function trainZoo(name: string, seed: number, epochs?: number): Promise<EpochEvent[]> {
  const { model, recipe } = findZooModel(name);
  const dataset = await loadMnist({ directory, classes: model.classes });
  const done: EpochEvent[] = [];
  const options = {
    recipe: { ...recipe, epochs: epochs ?? recipe.epochs },
    seed,
    workers: 2,
    engine: 'native',
  } as const;
  for await (const event of train({ model, dataset, ...options })) {
    if (event.event !== 'epoch') continue;
    done.push(event);
    console.log(`${name} epoch ${event.epoch}: ${event.testCorrect}/${event.testTotal}`);
  }
  return done;
}

describe.skipIf(!hasMnist)(`full MNIST (LOCKSTEP_MNIST, else ../shared/mnist)`, () => {
  it('net19k reaches 97.5% after one epoch', async () => {
    const [first] = await trainZoo('net19k', 1, 1);
    expect(first?.testAccuracy).toBeGreaterThanOrEqual(0.975);
  });

  it('tiny6k reaches 99.4% within the epochs of its recipe', async () => {
    const epochs = await trainZoo('tiny6k', 2);
    expect(epochs.length).toBeLessThanOrEqual(10);
    expect(Math.max(...epochs.map(({ testAccuracy }) => testAccuracy))).toBeGreaterThanOrEqual(0.994);
  });
});
