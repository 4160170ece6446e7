/** A run whose result is no number ends as such at whatever step, and keeps nothing of it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunEvent, train } from '../../packages/cli/dist/index.js';
import { areFinite } from '../../packages/core/dist/seams/index.js';
import { findCheckpoint, listCheckpoints } from '../../packages/core/dist/state/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { SMALL_IMAGES, SMALL_STEPS_PER_EPOCH, smallModel } from '../support/small-run.js';

const data = await cutSample(SMALL_IMAGES, 50);
const recipe = { epochs: 3, batchSize: 64, optimizer: { type: 'sgd' as const }, learningRate: 1e38 };

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-divergence-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a run that diverges', () => {
  it.each<[string, object]>([
    ['cases: numbers 12: in its only step', { steps: 1 }],
    ['in the second', { steps: 2 }],
    ['at the end of an epoch, where it is evaluated', { recipe: { ...recipe, batchSize: SMALL_IMAGES } }],
    ['where only its end is evaluated', { steps: 1, evaluate: 'end' }],
    ['with a moving average', { steps: 1, recipe: { ...recipe, ema: 0.9 } }],
  ])('%s, ends with LOCKSTEP_LOSS_NOT_FINITE, without an end or an epoch', async (_, options) => {
    const told: RunEvent['event'][] = [];
    const run = train({ model: smallModel, data, recipe, workers: 2, ...options });
    const following = (async () => {
      for await (const { event } of run) told.push(event);
    })();
    await expect(following).rejects.toThrow(
      /LOCKSTEP_LOSS_NOT_FINITE: .* \(epoch 1\) is not a finite number\. Try a lower/,
    );
    expect(told).not.toContain('end');
    expect(told).not.toContain('epoch');
    await expect(run.result()).rejects.toThrow('LOCKSTEP_LOSS_NOT_FINITE');
  });

  it('leaves the checkpoints of before, and writes none that is not all numbers', async () => {
    const good = { ...recipe, learningRate: 0.01, epochs: 1 };
    const checkpoints = { folder, every: '1 steps', keep: 10 } as const;
    await train({ model: smallModel, data, recipe: good, checkpoints }).result();
    const before = listCheckpoints(folder);
    expect(before.at(-1)).toBe(SMALL_STEPS_PER_EPOCH);
    const worse = { resume: folder, override: true, recipe: { ...recipe, epochs: 2 } };
    await expect(train({ data, checkpoints, ...worse }).result()).rejects.toThrow('LOCKSTEP_LOSS_NOT_FINITE');
    expect(listCheckpoints(folder).slice(0, before.length)).toEqual(before);
    for (const name of readdirSync(folder).filter((name) => name.startsWith('step-'))) {
      expect(areFinite([findCheckpoint(path.join(folder, name)).checkpoint.snapshot.state])).toBe(true);
    }
  });
});
