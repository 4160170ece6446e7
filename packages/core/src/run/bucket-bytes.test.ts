import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferLayers } from '../model/layers.js';
import { findZooModel } from '../zoo/zoo.js';
import { BucketForm } from './bucket-bytes.js';
import { planBuckets } from './buckets.js';
import { listGradients, planContribution } from './contribution.js';
import { roundPartial } from './reduction.js';

const layoutOf = (name: string) => planContribution(inferLayers(findZooModel(name).model));

/** Any bits. */
function drawBits(length: number, seed: number): Float32Array {
  let word = seed;
  const words = Uint32Array.from({ length }, () => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    return word;
  });
  return new Float32Array(words.buffer);
}

describe('a bucket', () => {
  it('travels as it stands when nothing is rounded', () => {
    const floats = drawBits(64, 1);
    const form = new BucketForm(32, 64, []);
    expect(form.bytes).toBe(256);
    expect(form.encode(floats).buffer).toBe(floats.buffer);
  });

  it('travels in half the bytes where gradients are rounded, worked by hand', () => {
    const words = Uint32Array.from({ length: 48 }, (_, i) =>
      i < 16 || i >= 32 ? 0xc000_0000 + i : (0x1234 + i) << 16,
    );
    const bytes = new BucketForm(100 * 16, 48, [{ begin: 101 * 16, end: 102 * 16 }]).encode(
      new Float32Array(words.buffer),
    );
    expect(bytes).toHaveLength(64 + 32 + 64);
    expect([...bytes.subarray(0, 4)]).toEqual([0x00, 0x00, 0x00, 0xc0]);
    expect([...bytes.subarray(64, 68)]).toEqual([0x44, 0x12, 0x45, 0x12]);
    expect([...bytes.subarray(96, 100)]).toEqual([0x20, 0x00, 0x00, 0xc0]);
  });

  it('comes out with the bits that went in, wherever it is cut and wherever its bytes start', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('tiny6k', 'net19k', 'lenet5'),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(),
        fc.integer({ min: 0, max: 5 }),
        (name, owners, units, seed, shift) => {
          const layout = layoutOf(name);
          const rounded = listGradients(layout);
          const partial = drawBits(layout.length, seed);
          roundPartial(partial, rounded);
          const received = new Float32Array(layout.length);
          let bytes = 0;
          for (const { offset, length } of planBuckets(layout, [...Array(owners).keys()], 16 * units)) {
            const form = new BucketForm(offset, length, rounded);
            const sent = form.encode(partial.subarray(offset, offset + length));
            expect(sent).toHaveLength(form.bytes);
            bytes += form.bytes;
            const shifted = Buffer.alloc(form.bytes + shift);
            shifted.set(sent, shift);
            form.decode(shifted.subarray(shift), received.subarray(offset, offset + length));
          }
          expect(Buffer.compare(Buffer.from(received.buffer), Buffer.from(partial.buffer))).toBe(0);
          const half = rounded.reduce((sum, { begin, end }) => sum + end - begin, 0);
          expect(bytes).toBe(4 * layout.length - 2 * half);
        },
      ),
      { numRuns: 50 },
    );
  });
});
