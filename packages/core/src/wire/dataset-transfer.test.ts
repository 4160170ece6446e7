import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDataset, type Dataset, type Split } from '../data/dataset/dataset.js';
import { cutDataset, DatasetAssembly, datasetBytes, describeDataset, hashPieces } from './dataset-transfer.js';

const split = (count: number): Split => ({
  count,
  images: Uint8Array.from({ length: 12 * count }, (_, at) => (at * 37) % 251),
  labels: Uint8Array.from({ length: count }, (_, at) => at % 3),
});
const shape = { name: 'some', source: 'here', channels: 1, height: 3, width: 4, classes: 3, mean: [0.5], std: [0.25] };
const dataset: Dataset = createDataset({ ...shape, train: split(40), validation: split(0), test: split(7) });
const total = datasetBytes(describeDataset(dataset));
const bytes = Buffer.concat([...cutDataset(dataset)]);

it('cases: peers 14: goes on where a connection has ended, however often and wherever that was', () => {
  const cut = fc.record({ pieceBytes: fc.integer({ min: 1, max: 100 }), pieces: fc.integer({ min: 1, max: 20 }) });
  fc.assert(
    fc.property(fc.array(cut, { maxLength: 30 }), (connections) => {
      const assembly = new DatasetAssembly(describeDataset(dataset));
      for (const { pieceBytes, pieces } of [...connections, { pieceBytes: 64, pieces: total }]) {
        const held = assembly.describe();
        expect(held).toEqual({ bytes: held.bytes, hash: hashPieces([bytes.subarray(0, held.bytes)]) });
        let offset = held.bytes;
        let left = pieces;
        for (const piece of cutDataset(dataset, offset, pieceBytes)) {
          if (left-- === 0) break;
          assembly.add(offset, piece);
          offset += piece.length;
        }
      }
      expect(assembly.finish().checksum).toBe(dataset.checksum);
    }),
  );
});

it('begins anew when the first byte comes again', () => {
  const assembly = new DatasetAssembly(describeDataset(dataset));
  assembly.add(0, Buffer.alloc(100, 9));
  for (const [index, byte] of bytes.entries()) assembly.add(index, Uint8Array.of(byte));
  expect(assembly.finish().checksum).toBe(dataset.checksum);
});

it.each([
  ['does not follow what is there', 100, 8, 'bytes 100 to 108 of a dataset of 611 came, of which 50 are there.'],
  ['is more than was announced', 50, 562, 'bytes 50 to 612 of a dataset of 611 came, of which 50 are there.'],
])('refuses what %s', (_, offset, length, text) => {
  const assembly = new DatasetAssembly(describeDataset(dataset));
  assembly.add(0, bytes.subarray(0, 50));
  expect(() => assembly.add(offset, new Uint8Array(length))).toThrow(`LOCKSTEP_NODE_DATA: ${text}`);
  expect(assembly.bytes).toBe(50);
});

it('tells what was changed on the way', () => {
  const assembly = new DatasetAssembly(describeDataset(dataset));
  assembly.add(0, Buffer.concat([bytes.subarray(0, -1), Uint8Array.of(99)]));
  expect(() => assembly.finish()).toThrow('LOCKSTEP_NODE_DATA: the dataset that came has checksum');
});
