import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { openViews, sayViews } from './shared-views.js';

const memory = new SharedArrayBuffer(64);
const value = {
  name: 'views',
  count: 3,
  missing: undefined,
  none: null,
  list: [1, [2, 'three']],
  splits: { train: { images: new Uint8Array(memory, 3, 5), labels: new Uint8Array(memory) } },
  words: new Int32Array(memory, 4, 2),
  rows: [new Float32Array(memory, 8, 3), new Float64Array(memory, 16)],
  own: Float32Array.of(1, 2),
};

it('gives back views of the same memory, and every other value as it was', () => {
  const opened = openViews(sayViews(value));
  expect(opened).toEqual(value);
  opened.splits.train.images[0] = 77;
  expect(new Uint8Array(memory)[3]).toBe(77);
  expect([opened.words.length, opened.words.byteOffset, opened.rows[1]?.length]).toEqual([2, 4, 6]);
});

it('cases: peers 32: says no view of shared memory as a typed array, which Deno would copy', () => {
  const found: unknown[] = [];
  JSON.stringify(sayViews(value), (_, item: unknown) => {
    if (ArrayBuffer.isView(item) && item.buffer instanceof SharedArrayBuffer) found.push(item);
    return item;
  });
  expect(found).toEqual([]);
});

it('reaches a thread, which writes into the same memory', async () => {
  const words = new Int32Array(new SharedArrayBuffer(16), 8, 1);
  const thread = new Worker(
    `const { workerData } = require('node:worker_threads');
     const { buffer, offset, length } = workerData.said.words;
     new Int32Array(buffer, offset, length)[0] = 41;`,
    { eval: true, workerData: sayViews({ words }) },
  );
  await once(thread, 'exit');
  expect(words[0]).toBe(41);
});
