/** Files over 2 GiB, which Node reads, writes and hashes only in pieces. They take no room on the disk, but in memory. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadIdxFolder } from '../data/readers/idx-folder.js';
import { readWholeFile } from './whole-file.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-large-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SIDE = 200;
const COUNT = 54_000;
const TEST_MS = 300_000;

const bigEndian = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
};

function writeIdx(stem: string, count: number): void {
  const images = join(folder, `${stem}-images-idx3-ubyte`);
  writeFileSync(images, bigEndian(0x803, count, SIDE, SIDE));
  truncateSync(images, 16 + count * SIDE * SIDE);
  writeFileSync(
    join(folder, `${stem}-labels-idx1-ubyte`),
    Buffer.concat([bigEndian(0x801, count), Buffer.alloc(count)]),
  );
}

describe('cases: work 31: files over 2 GiB', () => {
  it(
    'are read and hashed as a dataset',
    async () => {
      writeIdx('train', COUNT);
      writeIdx('t10k', 10);
      const { train, checksum } = await loadIdxFolder(folder);
      expect(train.images.length).toBe(COUNT * SIDE * SIDE);
      expect(train.images.length).toBeGreaterThan(2 ** 31);
      expect(checksum).toMatch(/^[0-9a-f]{64}$/);
    },
    TEST_MS,
  );

  it(
    'have their last byte',
    () => {
      const path = join(folder, 'last');
      writeFileSync(path, '');
      truncateSync(path, 2 ** 31 + 5);
      writeFileSync(path, 'x', { flag: 'a' });
      const bytes = readWholeFile(path);
      expect([bytes.length, bytes.at(-1)]).toEqual([2 ** 31 + 6, 'x'.charCodeAt(0)]);
    },
    TEST_MS,
  );
});
