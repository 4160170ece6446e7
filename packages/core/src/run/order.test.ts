import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochOrder } from './order.js';

const seed = fc.nat({ max: Number.MAX_SAFE_INTEGER });

describe('epochOrder', () => {
  // From an independent Philox and Fisher-Yates in Python.
  it.each([
    [7, 3, [1, 3, 2, 5, 8, 4, 0, 6, 9, 7]],
    [2 ** 40 + 5, 0, [8, 4, 11, 10, 5, 1, 6, 3, 2, 9, 0, 7]],
  ])('gives the known order of seed %i, epoch %i', (seed, epoch, order) => {
    expect([...epochOrder(seed, epoch, order.length)]).toEqual(order);
  });

  it('is a permutation', () => {
    fc.assert(
      fc.property(seed, fc.nat(), fc.nat({ max: 1000 }), (seed, epoch, count) => {
        expect([...epochOrder(seed, epoch, count)].sort((a, b) => a - b)).toEqual(
          Array.from({ length: count }, (_, i) => i),
        );
      }),
    );
  });

  it('is the same for the same inputs, and fills the array it is given', () => {
    const out = new Int32Array(500);
    expect(epochOrder(9, 2, 500, out)).toBe(out);
    expect(out).toEqual(epochOrder(9, 2, 500));
  });

  it('differs by seed, in its upper bits too, and by epoch', () => {
    const orders = [
      epochOrder(1, 0, 100),
      epochOrder(2, 0, 100),
      epochOrder(1 + 2 ** 32, 0, 100),
      epochOrder(1, 1, 100),
    ];
    expect(new Set(orders.map((order) => order.join())).size).toBe(4);
  });

  it('puts every sample at every place equally often', () => {
    const [epochs, count] = [6000, 6];
    const seen = Array.from({ length: count * count }, () => 0);
    for (let epoch = 0; epoch < epochs; epoch++) {
      epochOrder(5, epoch, count).forEach((sample, place) => {
        seen[place * count + sample] = (seen[place * count + sample] as number) + 1;
      });
    }
    // Binomial with n = 6000 and p = 1/6: mean 1000, standard deviation 28.9; five of them.
    for (const times of seen) expect(Math.abs(times - 1000)).toBeLessThan(145);
  });

  it('refuses an array of another length', () => {
    expect(() => epochOrder(1, 0, 10, new Int32Array(9))).toThrow(
      'an order of 10 samples was to go into an array of 9',
    );
  });
});
