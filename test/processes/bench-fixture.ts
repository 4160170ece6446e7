/** What tests of the bench commands share: a tiny model on made-up data, measured for an instant. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { writeIdxSplit } from '../support/idx-split.ts';
import { makeSmallLayers } from '../support/small-layers.ts';

export const BIN = path.resolve(import.meta.dirname, '../../packages/cli/dist/bin.js');
export const SIDE = 8;
const TRAIN_COUNT = 300;
const TEST_COUNT = 100;

const model = {
  name: 'dots',
  input: { channels: 1, height: SIDE, width: SIDE },
  classes: 10,
  layers: makeSmallLayers({ kernel: 3, padding: 1 }, [{ type: 'maxPool', kernel: 2 }]),
};

/** A folder with a model and data in it, which goes with the tests, and the command in it. */
export function useBench() {
  const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-bench-'));
  writeFileSync(path.join(folder, 'dots.json'), JSON.stringify(model));
  for (const [stem, count] of [
    ['train', TRAIN_COUNT],
    ['t10k', TEST_COUNT],
  ] as const) {
    const pixels = Uint8Array.from({ length: count * SIDE * SIDE }, (_, index) => (index * 37) % 256);
    const labels = Uint8Array.from({ length: count }, (_, index) => index % 10);
    writeIdxSplit(folder, stem, SIDE, pixels, labels);
  }
  afterAll(() => rmSync(folder, { recursive: true }));
  /** What the command prints on stdout. */
  const bench = (...args: string[]): string => {
    const argv = [BIN, 'bench', ...args, '--data', folder];
    return execFileSync(process.execPath, argv, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  };
  return { folder, bench };
}

export const SHORT = ['--models', 'dots.json', '--seconds', '0.02', '--repetitions', '2'];
