import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundToBf16 } from './bf16.js';

const floatOf = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0] as number;

function roundBits(bits: number): number {
  const words = Uint32Array.of(bits);
  roundToBf16(new Float32Array(words.buffer));
  return words[0] as number;
}

/** By distances: the nearer of the two neighbours, of two equally near ones that with an even last bit. */
function roundSlowly(bits: number): number {
  const value = floatOf(bits);
  if (Number.isNaN(value)) return 0x7fc0_0000;
  const down = bits - (bits % 0x1_0000);
  // beyond the largest finite bf16 the next step of the ladder would be 2^128
  const up = down + 0x1_0000;
  const farther = Number.isFinite(floatOf(up)) ? Math.abs(floatOf(up)) : 2 ** 128;
  const below = Math.abs(value) - Math.abs(floatOf(down));
  const above = farther - Math.abs(value);
  if (below === above) return (down / 0x1_0000) % 2 === 0 ? down : up;
  return below < above ? down : up;
}

describe('roundToBf16', () => {
  it.each([
    ['1 stays', 0x3f80_0000, 0x3f80_0000],
    ['-0 stays', 0x8000_0000, 0x8000_0000],
    ['half a step above 1 goes down to the even 1', 0x3f80_8000, 0x3f80_0000],
    ['half a step above the odd neighbour goes up', 0x3f81_8000, 0x3f82_0000],
    ['a little more than half a step goes up', 0x3f80_8001, 0x3f81_0000],
    ['the smallest subnormal number goes to 0', 0x0000_0001, 0x0000_0000],
    ['a subnormal number is rounded as any other', 0x0001_8000, 0x0002_0000],
    ['the largest subnormal number becomes the smallest normal one', 0x007f_ffff, 0x0080_0000],
    ['the largest float becomes infinity', 0x7f7f_ffff, 0x7f80_0000],
    ['the largest float that does not', 0x7f7f_7fff, 0x7f7f_0000],
    ['infinity stays', 0xff80_0000, 0xff80_0000],
    ['a NaN of the lower half stays one', 0x7f80_0001, 0x7fc0_0000],
    ['a negative NaN loses its sign', 0xffff_ffff, 0x7fc0_0000],
  ])('%s', (_, bits, expected) => {
    expect(roundBits(bits).toString(16)).toBe(expected.toString(16));
  });

  it('is the nearest bf16 for any bits, and rounding again changes nothing', () => {
    const anything = fc.integer({ min: 0, max: 0xffff_ffff });
    const nearTie = fc.tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: -2, max: 2 }));
    const bits = fc.oneof(
      anything,
      nearTie.map(([upper, more]) => upper * 0x1_0000 + 0x8000 + more),
    );
    fc.assert(
      fc.property(bits, (word) => {
        if (floatOf(word) === Number.POSITIVE_INFINITY || floatOf(word) === Number.NEGATIVE_INFINITY) return;
        const rounded = roundBits(word);
        expect(rounded.toString(16)).toBe(roundSlowly(word).toString(16));
        expect(roundBits(rounded)).toBe(rounded);
        expect(rounded % 0x1_0000).toBe(0);
      }),
      { numRuns: 5000 },
    );
  });
});
