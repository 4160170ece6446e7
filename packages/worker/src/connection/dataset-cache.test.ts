import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createArrayDataset } from '@lockstep/core/data';
import { describeDataset } from '@lockstep/core/wire';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cacheDataset, readCachedDataset } from './dataset-cache.js';

const images = Uint8Array.from({ length: 40 }, (_, index) => index * 6);
const labels = Uint8Array.from({ length: 10 }, (_, index) => index % 2);
const split = { images, labels };
const dataset = createArrayDataset({ channels: 1, height: 2, width: 2, classes: 2, train: split, test: split });
const header = describeDataset(dataset);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-datasets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function read() {
  const told: string[] = [];
  return { checksum: readCachedDataset(folder, header, (text) => told.push(text))?.checksum, told };
}

const keptFile = (): string => path.join(folder, 'datasets', readdirSync(path.join(folder, 'datasets'))[0] as string);

it('gives what was kept, and says nothing where there is nothing', () => {
  expect(read()).toEqual({ checksum: undefined, told: [] });
  cacheDataset(folder, dataset);
  expect(read()).toEqual({ checksum: dataset.checksum, told: [] });
});

it('says in one line that what was kept is cut, or changed, and that it comes again', () => {
  cacheDataset(folder, dataset);
  const file = keptFile();
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.subarray(0, 9));
  const again = 'the data come from the coordinator again';
  expect(read()).toEqual({ checksum: undefined, told: [`${file} cannot be used (it ends after 9 bytes); ${again}`] });
  bytes[3] = 1 ^ (bytes[3] as number);
  writeFileSync(file, bytes);
  const { checksum, told } = read();
  expect({ checksum, count: told.length }).toEqual({ checksum: undefined, count: 1 });
  expect(told[0]).toContain(` cannot be used (the dataset that came has checksum `);
  cacheDataset(folder, dataset);
  expect(read().told).toEqual([]);
});
