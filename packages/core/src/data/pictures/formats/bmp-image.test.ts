import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../image-file.js';
import { encodeBmp } from './test-kinds.js';

const bytesOf = (base64: string): Uint8Array => Buffer.from(base64, 'base64');
const GREY4 = [0, 85, 170, 255].flatMap((level) => [level, level, level, 0]);
const decode = (bytes: Uint8Array) => {
  const { width, height, channels, pixels } = decodeImage(bytes, 'x.bmp');
  return { width, height, channels, pixels: [...pixels] };
};

describe('cases: data 22: a BMP', () => {
  it.each([
    [
      'of 24 bits',
      'Qk1OAAAAAAAAADYAAAAoAAAAAwAAAAIAAAABABgAAAAAABgAAADEDgAAxA4AAAAAAAAAAAAA7WYlihKM8sEhAAAAzCAimZd/fAe2AAAA',
      [34, 32, 204, 127, 151, 153, 182, 7, 124, 37, 102, 237, 140, 18, 138, 33, 193, 242],
    ],
    [
      'with a palette',
      'Qk1OAAAAAAAAAEYAAAAoAAAAAwAAAAIAAAABAAgAAAAAAAgAAADEDgAAxA4AAAQAAAAEAAAAHhQKAAAAyAAAyAAAyAAAAAMCAQAAAQIA',
      [10, 20, 30, 200, 0, 0, 0, 200, 0, 0, 0, 200, 0, 200, 0, 200, 0, 0],
    ],
  ])('%s that Pillow wrote has the pixels that Pillow reads', (_, base64, pixels) => {
    expect(decode(bytesOf(base64))).toEqual({ width: 3, height: 2, channels: 3, pixels });
  });

  it('of every depth and size, from either end, is read as it was written', () => {
    const cases = fc.record({
      depth: fc.constantFrom(1, 4, 8, 24, 32),
      width: fc.integer({ min: 1, max: 37 }),
      height: fc.integer({ min: 1, max: 9 }),
      isFromTop: fc.boolean(),
      seed: fc.integer({ min: 1, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(cases, ({ depth, width, height, isFromTop, seed }) => {
        const colours = 2 ** Math.min(8, depth);
        const draw = (i: number, below: number): number => ((i + 1) * seed * 7919) % below;
        const values = Array.from({ length: width * height }, (_, i) => draw(i, depth <= 8 ? colours : 2 ** 24));
        const palette = Array.from({ length: depth <= 8 ? 4 * colours : 0 }, (_, i) =>
          i % 4 === 3 ? 0 : draw(i, 256),
        );
        const pixels = values.flatMap((value) =>
          depth <= 8 ? [2, 1, 0].map((c) => palette[4 * value + c]) : [16, 8, 0].map((shift) => (value >> shift) & 255),
        );
        const file = encodeBmp({ width, depth: depth as 8, values, palette, isFromTop });
        expect(decode(file)).toEqual({ width, height, channels: 3, pixels });
      }),
    );
  });

  it('of 16 bits has five for each colour, or as many as its masks say', () => {
    const values = [0x7c00, 0x03e0, 0x001f, 0x4210];
    const plain = [255, 0, 0, 0, 255, 0, 0, 0, 255, 131, 131, 131];
    expect(decode(encodeBmp({ width: 2, depth: 16, values })).pixels).toEqual(plain);
    const masked = encodeBmp({ width: 4, depth: 16, values, masks: [0xf800, 0x07e0, 0x001f, 0] });
    expect(decode(masked).pixels).toEqual([123, 129, 0, 0, 125, 0, 0, 0, 255, 65, 64, 131]);
  });

  it('of 32 bits with a mask of alpha is transparent', () => {
    const masks = [0xff, 0xff00, 0xff0000, 0xff000000];
    const file = encodeBmp({ width: 1, depth: 32, values: [0x80_30_20_10, 0xff_03_02_01], masks });
    expect(decode(file)).toMatchObject({ channels: 4, pixels: [0x10, 0x20, 0x30, 0x80, 1, 2, 3, 255] });
  });

  it('in runs: of a colour, one by one, with rows cut short and places that are skipped', () => {
    const values = new Array<number>(4 * 3).fill(0);
    const runs8 = [3, 2, 0, 0, 0, 3, 1, 2, 3, 0, 0, 2, 0, 1, 1, 1, 0, 1];
    const file8 = encodeBmp({ width: 4, depth: 8, values, palette: GREY4, packed: [1, runs8] });
    const level = (index: number): number[] => [85 * index, 85 * index, 85 * index];
    // the file's first row is the picture's last
    expect(decode(file8).pixels).toEqual([0, 0, 0, 1, 1, 2, 3, 0, 2, 2, 2, 0].flatMap(level));
    const runs4 = [3, 0x12, 0, 0, 0, 3, 0x12, 0x30, 0, 0, 4, 0x33, 0, 1];
    const file4 = encodeBmp({ width: 4, depth: 4, values, palette: GREY4, packed: [2, runs4] });
    expect(decode(file4).pixels).toEqual([3, 3, 3, 3, 1, 2, 3, 0, 1, 2, 1, 0].flatMap(level));
  });

  const good = encodeBmp({ width: 3, depth: 8, values: [0, 1, 2, 3, 0, 1], palette: GREY4 });
  const withByte = (at: number, value: number): Uint8Array => good.map((byte, i) => (i === at ? value : byte));
  const values = [0, 0, 0, 0];
  const packed = (...runs: number[]) => encodeBmp({ width: 2, depth: 8, values, palette: GREY4, packed: [1, runs] });
  it.each([
    ['cut inside its header', good.subarray(0, 40), 'cannot be decoded: it ends inside its header.'],
    ['cut inside its pixels', good.subarray(0, good.length - 2), 'cannot be decoded: it ends before its last row.'],
    ['of 30,000 million pixels', withByte(21, 0x7f), 'cannot be decoded: it claims 2130706435x2 pixels, the limit is'],
    ['of no width', withByte(18, 0), 'cannot be decoded: it claims 0x2 pixels'],
    ['with a colour beyond its palette', withByte(70, 9), 'cannot be decoded: colour 9 is not in its palette.'],
    ['with a run that is too long', packed(3, 1, 0, 1), 'cannot be decoded: a run goes beyond the picture.'],
    ['with runs that do not end', packed(2, 1), 'cannot be decoded: it ends before its last row.'],
    [
      'that holds a JPEG',
      withByte(30, 4),
      'is a BMP image of 8 bits with the compression JPEG, which is not read. Convert it: magick',
    ],
    ['of 2 bits', withByte(28, 2), 'is a BMP image of 2 bits with the compression 0, which is not read.'],
    ['with an unknown header', withByte(14, 64), 'is a BMP image with a header of 64 bytes, which is not read.'],
  ])('%s is refused with the reason', (_, bytes, text) => {
    expect(() => decodeImage(bytes, 'x.bmp')).toThrow(`LOCKSTEP_DATA_IMAGE: x.bmp ${text}`);
  });
});
