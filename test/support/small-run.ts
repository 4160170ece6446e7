/** A run that takes a moment: a small convolutional net on a few real digits, in this process. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { train } from '../../packages/cli/dist/api/session.js';
import { encodeIdxImages, encodeIdxLabels } from '../../packages/core/dist/data/readers/index.js';
import type { RunEvent, WarningEvent } from '../../packages/core/dist/events/index.js';
import { parseModelSpec, recipeSchema } from '../../packages/core/dist/spec/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { makeSmallLayers } from './small-layers.ts';

/** Every kind of state: parameters, running statistics; and dropout, so that its bits count too. */
export const smallModel = parseModelSpec({
  name: 'small',
  input: { channels: 1, height: 28, width: 28 },
  classes: 10,
  layers: makeSmallLayers({ kernel: 5, stride: 2 }, [
    { type: 'maxPool', kernel: 2 },
    { type: 'dropout', p: 0.1 },
  ]),
});

/** 200 images in steps of 64, 64, 64 and 8. */
export const SMALL_IMAGES = 200;
export const SMALL_STEPS_PER_EPOCH = 4;
export const smallRecipe = recipeSchema.parse({ epochs: 1_000_000, batchSize: 64, augmentation: { rotation: 10 } });

export interface SmallRun {
  readonly workers: number;
  readonly steps: number;
  readonly seed?: number;
  /** Called with each event as it comes. */
  readonly onEvent?: (event: RunEvent) => void;
}

export interface SmallResult {
  readonly hash: string;
  readonly correct: number;
  readonly warnings: readonly WarningEvent[];
}

/** Trains the small model; the result is that of the end event. */
export async function runSmall({ workers, steps, seed = 1, onEvent }: SmallRun): Promise<SmallResult> {
  const dataset = await cutSample(SMALL_IMAGES, 400);
  const warnings: WarningEvent[] = [];
  const request = { model: smallModel, recipe: smallRecipe, dataset, seed, workers, steps, engine: 'native' } as const;
  for await (const event of train(request)) {
    onEvent?.(event);
    if (event.event === 'warning') warnings.push(event);
    if (event.event === 'end') return { hash: event.parametersSha256, correct: event.testCorrect, warnings };
  }
  throw new Error('the run had no end');
}

/** Writes the first digits of the embedded sample as a `--data` folder. */
export async function writeSample(folder: string, trainCount: number, testCount: number): Promise<void> {
  const { train: first, test, channels, height, width } = await cutSample(trainCount, testCount);
  for (const [stem, { count, images, labels }] of Object.entries({ train: first, t10k: test })) {
    const pixels = { count, channels, height, width, pixels: images };
    writeFileSync(path.join(folder, `${stem}-images-idx3-ubyte`), encodeIdxImages(pixels));
    writeFileSync(path.join(folder, `${stem}-labels-idx1-ubyte`), encodeIdxLabels(labels));
  }
}
