/** A node's own copy of data, in the form that the coordinator has read its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DataOptions, holdOutValidation, openDataset } from '@lockstep/core/data';
import { describeDataset } from '@lockstep/core/wire';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readOwnCopy } from './own-copy.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-copy-'));
  vi.stubEnv('LOCKSTEP_CACHE', join(folder, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Twenty rows of 3x4x4 pixels, the first of which looks like labels too; the label is last. */
function writeTable(name: string, shift = 0): string {
  const rows = Array.from({ length: 20 }, (_, row) =>
    [row % 2, ...Array.from({ length: 47 }, (_, i) => (i * 37 + row * 5 + shift) % 256), row % 2].join(),
  );
  writeFileSync(join(folder, name), rows.join('\n'));
  return join(folder, name);
}

const forms: readonly [string, DataOptions][] = [
  ['the column of labels', { labelColumn: 'last' }],
  ['where colours are', { labelColumn: 'last', csvLayout: 'hwc' }],
  [
    'another form and size',
    { labelColumn: 'last', csvShape: { channels: 1, height: 6, width: 8 }, resize: { height: 5, width: 7 } },
  ],
  ['how many images are the test set', { labelColumn: 'last', heldOut: 6 }],
];

it.each(forms)('is read as the coordinator was told: %s', async (_, form) => {
  const dataset = await openDataset(writeTable('data.csv'), form);
  const tell = vi.fn();
  const copy = await readOwnCopy(writeTable('copy.csv'), describeDataset(dataset), tell);
  expect([copy?.checksum, copy?.name]).toEqual([dataset.checksum, 'data.csv']);
  expect(tell).not.toHaveBeenCalled();
  const held = holdOutValidation(await openDataset(writeTable('data.csv'), form), 4);
  expect((await readOwnCopy(writeTable('copy.csv'), describeDataset(held), tell))?.checksum).toBe(held.checksum);
});

it('is not taken where it is other data, and that is told', async () => {
  const dataset = await openDataset(writeTable('data.csv'), { labelColumn: 'last' });
  const told: string[] = [];
  const copy = await readOwnCopy(writeTable('other.csv', 1), describeDataset(dataset), (text) => told.push(text));
  expect(copy).toBeUndefined();
  expect(told).toEqual([
    expect.stringMatching(
      /other\.csv is not the data of the run \(SHA-256 [0-9a-f]{12}\.\.\., the run has [0-9a-f]{12}\.\.\.\): that comes from the coordinator$/,
    ),
  ]);
});
