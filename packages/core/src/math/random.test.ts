import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encryptCounter, philox, purposes, toUniform } from './random.js';

const hex = (words: Iterable<number>): string[] => [...words].map((word) => word.toString(16).padStart(8, '0'));

describe('encryptCounter', () => {
  // philox4x32 10 in tests/kat_vectors of Random123 (D. E. Shaw Research).
  it.each([
    [
      [0, 0],
      [0, 0, 0, 0],
      ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8'],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      ['408f276d', '41c83b0e', 'a20bc7c6', '6d5451fd'],
    ],
    [
      [0xa4093822, 0x299f31d0],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      ['d16cfe09', '94fdcceb', '5001e420', '24126ea1'],
    ],
  ])('gives the known answer for key %j and counter %j', ([key0 = 0, key1 = 0], counter, answer) => {
    const block = Uint32Array.from(counter);
    encryptCounter(key0, key1, block);
    expect(hex(block)).toEqual(answer);
  });

  it('equals ten rounds in 64-bit integers', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(word, word, fc.tuple(word, word, word, word), (key0, key1, counter) => {
        const block = Uint32Array.from(counter);
        encryptCounter(key0, key1, block);
        expect(hex(block)).toEqual(hex(encryptByBigInt(key0, key1, counter)));
      }),
    );
  });
});

function encryptByBigInt(key0: number, key1: number, counter: [number, number, number, number]): number[] {
  const low = (value: bigint): bigint => BigInt.asUintN(32, value);
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  for (let round = 0n; round < 10n; round++) {
    const product0 = 0xd2511f53n * c0;
    const product1 = 0xcd9e8d57n * c2;
    const k0 = low(BigInt(key0) + round * 0x9e3779b9n);
    const k1 = low(BigInt(key1) + round * 0xbb67ae85n);
    [c0, c1, c2, c3] = [(product1 >> 32n) ^ c1 ^ k0, low(product1), (product0 >> 32n) ^ c3 ^ k1, low(product0)];
  }
  return [c0, c1, c2, c3].map(Number);
}

describe('philox', () => {
  it('puts the seed into the key and index, lane, stream, purpose into the counter, in this order', () => {
    const block = new Uint32Array(4);
    philox(2 ** 53 - 1, purposes.augmentation, 2, 1, 5, block);
    const expected = Uint32Array.of(5, 1, 2, 3);
    encryptCounter(0xffffffff, 0x1fffff, expected);
    expect(hex(block)).toEqual(hex(expected));
    expect(hex(block)).toEqual(['da5f7077', '2dbcc4fb', '2ccb8c39', '06c67ac6']);
  });

  it('keeps the numbers of the purposes, which are part of the format of a run', () => {
    expect(purposes).toEqual({ initialWeights: 1, epochOrder: 2, augmentation: 3, dropout: 4 });
  });
});

describe('toUniform', () => {
  it.each([
    [0, 0],
    [255, 0],
    [256, 2 ** -24],
    [0x80000000, 0.5],
    [0xffffffff, 1 - 2 ** -24],
  ])('maps %i to %d', (word, uniform) => {
    expect(toUniform(word)).toBe(uniform);
    expect(Math.fround(toUniform(word))).toBe(uniform);
  });
});
