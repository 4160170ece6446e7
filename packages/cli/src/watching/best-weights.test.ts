import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EpochEvent } from '@lockstep/core/events';
import { inferLayers } from '@lockstep/core/model';
import { initialBuffers, initialParameters, type ModelState } from '@lockstep/core/run';
import type { RunView } from '@lockstep/core/seams';
import { findZooModel } from '@lockstep/core/zoo';
import { RunFolder } from '@lockstep/watch/files';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadModelState } from '../settings/weights-file.js';
import { BestWeights } from './best-weights.js';

const { model } = findZooModel('tiny6k');
const layers = inferLayers(model);
const stateOf = (seed: number): ModelState => ({
  parameters: initialParameters(layers, seed),
  buffers: initialBuffers(layers),
});

let place = '';
let folder: RunFolder;
let best: BestWeights;
/** Where the run may go back to. */
let ways: number[] = [];
let now = 0;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'lockstep-best-'));
  folder = new RunFolder(join(place, 'run'));
  best = new BestWeights(folder, 'testAccuracy');
  const one = { count: 1, images: new Uint8Array(28 * 28), labels: new Uint8Array(1) };
  const splits = { train: one, validation: { ...one, count: 0 }, test: one };
  const dataset = { ...splits, channels: 1, height: 28, width: 28, classes: 10, mean: [0], std: [1], name: 'one' };
  const view = { model, dataset, stepsPerEpoch: 10, history: [], waysBack: () => ways, readState: () => stateOf(now) };
  best.begin(view as unknown as RunView);
});

afterEach(() => rmSync(place, { recursive: true }));

/** An epoch, after which the weights are those of this seed. */
function epoch(number: number, testAccuracy: number, seed: number): void {
  now = seed;
  best.onEvent({ event: 'epoch', epoch: number, testAccuracy } as EpochEvent);
}

const goBack = (epochs: number): void =>
  best.onEvent({ event: 'went-back', node: 'liar', step: 10 * epochs, epochs, from: 99 });

const inFile = (): Float32Array[] =>
  loadModelState(join(folder.path as string, 'best.safetensors'), model).parameters as Float32Array[];

it('cases: peers 5: the best weights from before a liar are there again when the run goes back', () => {
  ways = [0, 10];
  epoch(1, 0.5, 1);
  epoch(2, 0.6, 2);
  epoch(3, 0.7, 3);
  expect(inFile()).toEqual(stateOf(3).parameters);
  goBack(1);
  expect(inFile()).toEqual(stateOf(1).parameters);
  // the same epoch, computed again without the liar
  epoch(2, 0.4, 4);
  expect(inFile()).toEqual(stateOf(1).parameters);
  epoch(3, 0.55, 5);
  expect(inFile()).toEqual(stateOf(5).parameters);
});

it('are none where the run goes back to before the first epoch, and stay where they were from before', () => {
  ways = [0, 20];
  epoch(1, 0.5, 1);
  epoch(2, 0.4, 2);
  epoch(3, 0.3, 3);
  goBack(2);
  expect(inFile()).toEqual(stateOf(1).parameters);
  goBack(0);
  expect(existsSync(join(folder.path as string, 'best.safetensors'))).toBe(false);
  epoch(1, 0.1, 4);
  expect(inFile()).toEqual(stateOf(4).parameters);
});
