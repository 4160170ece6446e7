/** What a step does not do: allocate, or post messages. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeIdxSplit } from '../support/idx-split.ts';
import { makeSmallLayers } from '../support/small-layers.ts';
import { GROWTH_BYTES, measureGrowth } from './memory-growth.ts';

const BIN = path.resolve(import.meta.dirname, '../../packages/cli/dist/bin.js');
const PROBE = path.resolve(import.meta.dirname, 'step-probe.mjs');
/** V8's memory reducer collects where it finds a thread idle, which on a busy machine may be in the middle of a step. */
const NO_REDUCER = '--no-memory-reducer';
/**
 * A young generation, in MB, that takes all that a thread of this run allocates: where it fills up between two steps, V8
 * collects, and what the steps allocated is no longer seen.
 */
const ROOM = ['--min-semi-space-size=32', '--max-semi-space-size=32'];
/** 6,118 steps of 17 in one epoch, which is one segment. */
const TRAIN_COUNT = 104_000;
const SIDE = 6;

const dots = {
  name: 'dots',
  input: { channels: 1, height: SIDE, width: SIDE },
  classes: 10,
  layers: makeSmallLayers({ kernel: 3, padding: 1 }, [{ type: 'dropout', p: 0.1 }]),
};

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-steps-'));
  for (const [stem, count] of [
    ['train', TRAIN_COUNT],
    ['t10k', 32],
  ] as const) {
    const pixels = Uint8Array.from({ length: count * SIDE * SIDE }, (_, i) => (i * 37 + (i >> 5)) % 251);
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
    writeIdxSplit(folder, stem, SIDE, pixels, labels);
  }
  writeFileSync(path.join(folder, 'dots.json'), JSON.stringify(dots));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Counters {
  readonly worker: number;
  readonly bytes: number;
  readonly messages: number;
  readonly collections: number;
}

/**
 * Trains 6,130 steps with two workers in the real program; what each worker counted over 1,000 of them. The run goes on
 * into a second epoch, so that the threads turn their loops, and report, before they end.
 */
function countSteps(adds: string): Counters[] {
  const argv = ['train', path.join(folder, 'dots.json'), '--data', folder, '--no-save', '--json'];
  const recipe = ['--steps', '6130', '--workers', '2', '--batch-size', '17', '--rotation', '5'];
  const { stderr } = spawnSync(process.execPath, [NO_REDUCER, ...ROOM, '--import', PROBE, BIN, ...argv, ...recipe], {
    encoding: 'utf8',
    // Piscina's threads then turn their loops between tasks, which the probe needs to report.
    env: { ...process.env, PROBE_ADDS: adds, PISCINA_DISABLE_ATOMICS: '1' },
  });
  const counters = [...stderr.matchAll(/^probe (.*)$/gm)].map((match) => JSON.parse(match[1] as string) as Counters);
  expect(counters, stderr).toHaveLength(2);
  return counters.sort((a, b) => a.worker - b.worker);
}

/** What measuring itself allocates; the least object of a step would make 12 bytes a step, 12,000 in all. */
const MEASURING_BYTES = 4000;

describe('1,000 steps of a segment', () => {
  it('allocate nothing, collect no garbage and post no message, in both workers', () => {
    for (const { bytes, messages, collections } of countSteps('nothing')) {
      expect({ messages, collections }).toEqual({ messages: 0, collections: 0 });
      expect(bytes).toBeGreaterThanOrEqual(0);
      expect(bytes).toBeLessThan(MEASURING_BYTES);
    }
  });

  it('are counted by a probe that would see one small array a step', () => {
    for (const { bytes } of countSteps('bytes')) expect(bytes).toBeGreaterThan(12_000);
  });

  it('are counted by a probe that would see one message a step', () => {
    for (const { messages } of countSteps('messages')) expect(messages).toBe(1000);
  });
});

it('RSS does not grow from step 1,000 to step 2,000', () => {
  const growth = measureGrowth(2000);
  expect(growth).toBeLessThan(GROWTH_BYTES);
});
