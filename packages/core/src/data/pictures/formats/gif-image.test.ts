import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../image-file.js';
import { encodeGif } from './test-kinds.js';

const PALETTE = [10, 20, 30, 200, 0, 0, 0, 200, 0, 0, 0, 200];
const decode = (bytes: Uint8Array) => {
  const image = decodeImage(bytes, 'x.gif');
  return { ...image, pixels: [...image.pixels] };
};

describe('cases: data 22: a GIF', () => {
  it('that Pillow wrote has the pixels that Pillow reads', () => {
    const base64 = 'R0lGODlhAwACAIEAAAoUHsgAAADIAAAAyCH5BAEAAAIALAAAAAADAAIAAAgJAAEEEDBAQICAADs=';
    const pixels = [10, 20, 30, 255, 200, 0, 0, 255, 0, 200, 0, 0, 0, 0, 200, 255, 0, 200, 0, 0, 200, 0, 0, 255];
    expect(decode(Buffer.from(base64, 'base64'))).toEqual({ width: 3, height: 2, channels: 4, pixels });
  });

  it('of every size and number of colours, interlaced or not, is read as it was written', () => {
    const cases = fc.record({
      bits: fc.integer({ min: 1, max: 8 }),
      width: fc.integer({ min: 1, max: 90 }),
      height: fc.integer({ min: 1, max: 90 }),
      isInterlaced: fc.boolean(),
      hasClear: fc.boolean(),
      // even pictures have long runs, noisy ones as many codes as there can be
      noise: fc.constantFrom(1, 50, 1000),
      seed: fc.integer({ min: 1, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(cases, ({ bits, width, height, isInterlaced, hasClear, noise, seed }) => {
        let state = seed;
        const draw = (below: number): number => {
          state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
          return (state >>> 8) % below;
        };
        const palette = Array.from({ length: 3 * 2 ** bits }, () => draw(256));
        let index = 0;
        const values = Array.from({ length: width * height }, () => {
          if (draw(1000) < noise) index = draw(2 ** bits);
          return index;
        });
        const clear = hasClear ? values[0] : undefined;
        const found = decodeImage(encodeGif({ width, values, palette, clear, isInterlaced }), 'x.gif');
        const expected = values.flatMap((value) => [
          ...palette.slice(3 * value, 3 * value + 3),
          ...(hasClear ? [value === clear ? 0 : 255] : []),
        ]);
        expect(found).toMatchObject({ width, height, channels: hasClear ? 4 : 3 });
        expect(Buffer.from(expected).equals(found.pixels)).toBe(true);
      }),
    );
  });

  it('with several pictures gives the first one, and says how many there are', () => {
    const file = encodeGif({ width: 1, values: [3], palette: PALETTE, pictures: 3 });
    expect(decode(file)).toEqual({ width: 1, height: 1, channels: 3, pixels: [0, 0, 200], frames: 3 });
    expect(decode(file.subarray(0, file.length - 1))).toMatchObject({ frames: 3 });
  });

  it('whose picture is smaller than its canvas is transparent around it', () => {
    const file = encodeGif({ width: 1, values: [1], palette: PALETTE, place: [1, 0, 3, 2] });
    const clear = [0, 0, 0, 0];
    const pixels = [clear, [200, 0, 0, 255], clear, clear, clear, clear].flat();
    expect(decode(file)).toEqual({ width: 3, height: 2, channels: 4, pixels });
  });

  const values = Array.from({ length: 30 }, (_, i) => i % 4);
  const good = encodeGif({ width: 6, values, palette: PALETTE });
  const withByte = (at: number, value: number): Uint8Array => good.map((byte, i) => (i === at ? value : byte));
  it.each([
    ['cut inside its header', good.subarray(0, 9), 'it ends inside its header'],
    ['cut inside its pixels', good.subarray(0, good.length - 8), 'it ends before its last'],
    ['without a picture', Uint8Array.of(...good.subarray(0, 31), 0x3b), 'there is no picture in it'],
    [
      'of a canvas of 3,000 million pixels',
      Uint8Array.from(good, (byte, i) => (i >= 6 && i < 10 ? 255 : byte)),
      'it claims 65535x65535',
    ],
    ['with more rows than pixels', withByte(38, 6), 'it ends before its last pixel'],
    ['with colours of 12 bits', withByte(41, 12), 'its colours have 12 bits'],
    ['with an unknown block', withByte(31, 0x2d), 'there is no block 45'],
  ])('%s is refused with the reason', (_, bytes, text) => {
    expect(() => decodeImage(bytes, 'x.gif')).toThrow(`LOCKSTEP_DATA_IMAGE: x.gif cannot be decoded: ${text}`);
  });
});
