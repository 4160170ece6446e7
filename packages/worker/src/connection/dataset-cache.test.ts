import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createDataset, type Split } from '@lockstep/core/data';
import { cutDataset, describeDataset } from '@lockstep/core/wire';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DatasetArrival, readCachedDataset } from './dataset-cache.js';

const split = (count: number): Split => ({
  count,
  images: Uint8Array.from({ length: 12 * count }, (_, at) => (at * 37) % 251),
  labels: Uint8Array.from({ length: count }, (_, at) => at % 3),
});
const shape = { name: 'some', source: 'here', channels: 1, height: 3, width: 4, classes: 3, mean: [0.5], std: [0.25] };
const dataset = createDataset({ ...shape, train: split(40), validation: split(5), test: split(7) });
const header = describeDataset(dataset);
const bytes = Buffer.concat([...cutDataset(dataset)]);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-dataset-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function read() {
  const told: string[] = [];
  return { checksum: readCachedDataset(folder, header, (text) => told.push(text))?.checksum, told };
}
const kept = { checksum: header.checksum, told: [] };

const partPath = (): string => path.join(folder, 'datasets', `${header.checksum}.part`);
const add = (arrival: DatasetArrival, from: number, to: number): void => arrival.add(from, bytes.subarray(from, to));

it('cases: peers 14: a node that is started again has what had come, and then the whole', () => {
  const killed = new DatasetArrival(folder, header);
  add(killed, 0, 100);
  add(killed, 100, 333);
  const again = new DatasetArrival(folder, header);
  expect(again.describe().bytes).toBe(333);
  add(again, 333, bytes.length);
  expect(again.finish().checksum).toBe(header.checksum);
  expect(read()).toEqual(kept);
  expect(readdirSync(path.join(folder, 'datasets'))).toEqual([`${header.checksum}.bin`]);
  killed.close();
});

it('two nodes of a machine may get the same data at the same time', () => {
  const [one, other] = [new DatasetArrival(folder, header), new DatasetArrival(folder, header)];
  add(one, 0, 300);
  add(other, 0, 50);
  add(one, 300, bytes.length);
  expect(one.finish().checksum).toBe(header.checksum);
  add(other, 50, bytes.length);
  expect(other.finish().checksum).toBe(header.checksum);
  expect(read()).toEqual(kept);
});

it('what is damaged or too long is replaced when the data come from their first byte', () => {
  add(new DatasetArrival(folder, header), 0, 1);
  writeFileSync(partPath(), Buffer.alloc(2 * bytes.length, 7));
  const arrival = new DatasetArrival(folder, header);
  expect(arrival.isComplete).toBe(false);
  add(arrival, 0, 400);
  add(arrival, 400, bytes.length);
  expect(arrival.finish().checksum).toBe(header.checksum);
  expect(readFileSync(partPath().replace('.part', '.bin'))).toEqual(bytes);
});

it('what was changed on the way is dropped', () => {
  const arrival = new DatasetArrival(folder, header);
  arrival.add(0, Buffer.alloc(bytes.length));
  expect(() => arrival.finish()).toThrow('LOCKSTEP_NODE_DATA: ');
  expect(existsSync(partPath())).toBe(false);
  expect(read().checksum).toBeUndefined();
});

it('a folder that cannot be written is no reason to stop', () => {
  writeFileSync(path.join(folder, 'datasets'), 'a file stands here');
  const arrival = new DatasetArrival(folder, header);
  add(arrival, 0, bytes.length);
  expect(arrival.finish().checksum).toBe(header.checksum);
});

function keep(): void {
  const arrival = new DatasetArrival(folder, header);
  add(arrival, 0, bytes.length);
  arrival.finish();
}

it('gives what was kept, and says nothing where there is nothing', () => {
  expect(read()).toEqual({ checksum: undefined, told: [] });
  keep();
  expect(read()).toEqual(kept);
});

it('says in one line that what was kept is cut, or changed, and that it comes again', () => {
  keep();
  const file = partPath().replace('.part', '.bin');
  writeFileSync(file, bytes.subarray(0, 9));
  const again = 'the data come from the coordinator again';
  expect(read()).toEqual({ checksum: undefined, told: [`${file} cannot be used (it ends after 9 bytes); ${again}`] });
  writeFileSync(file, Buffer.concat([Uint8Array.of(99), bytes.subarray(1)]));
  const { checksum, told } = read();
  expect({ checksum, count: told.length }).toEqual({ checksum: undefined, count: 1 });
  expect(told[0]).toContain(` cannot be used (the dataset that came has checksum `);
  keep();
  expect(read()).toEqual(kept);
});
