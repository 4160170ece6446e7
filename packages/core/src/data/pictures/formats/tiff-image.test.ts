import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../image-file.js';
import { encodeTiff, type Tiff } from './test-kinds.js';

const decode = (bytes: Uint8Array) => {
  const image = decodeImage(bytes, 'x.tif');
  return { ...image, pixels: [...image.pixels] };
};
/** Pixels of Pillow's. */
const RGB = [34, 32, 204, 127, 151, 153, 182, 7, 124, 37, 102, 237, 140, 18, 138, 33, 193, 242];
const TURNED = [37, 102, 237, 34, 32, 204, 140, 18, 138, 127, 151, 153, 33, 193, 242, 182, 7, 124];

describe('cases: data 22: a TIFF', () => {
  it.each([
    [
      'packed by LZW',
      'SUkqACAAAACACIQMw/pdMrYDnwSmZ2owJIoQsF5QEAAKAAABAwABAAAAAwAAAAEBAwABAAAAAgAAAAIBAwADAAAAngAAAAMBAwABAAAABQAAAAYBAwABAAAAAgAAABEBBAABAAAACAAAABUBAwABAAAAAwAAABYBAwABAAAAAgAAABcBBAABAAAAFwAAABwBAwABAAAAAQAAAAAAAAAIAAgACAA=',
      { width: 3, height: 2, channels: 3, pixels: RGB },
    ],
    [
      'packed by PackBits',
      'SUkqABwAAAAIIiDMf5eZtgd8CCVm7YwSiiHB8goAAAEDAAEAAAADAAAAAQEDAAEAAAACAAAAAgEDAAMAAACaAAAAAwEDAAEAAAAFgAAABgEDAAEAAAACAAAAEQEEAAEAAAAIAAAAFQEDAAEAAAADAAAAFgEDAAEAAAACAAAAFwEEAAEAAAAUAAAAHAEDAAEAAAABAAAAAAAAAAgACAAIAA==',
      { width: 3, height: 2, channels: 3, pixels: RGB },
    ],
    [
      'of one bit, which it does not say',
      'SUkqAAgAAAAIAAABBAABAAAABQAAAAEBBAABAAAAAgAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAbgAAABYBBAABAAAAAgAAABcBBAABAAAAAgAAABwBAwABAAAAAQAAAAAAAABokA==',
      { width: 5, height: 2, channels: 1, pixels: [0, 255, 255, 0, 255, 255, 0, 0, 255, 0] },
    ],
    [
      'of grey and alpha',
      'SUkqAAgAAAALAAABBAABAAAAAgAAAAEBBAABAAAAAgAAAAIBAwACAAAACAAIAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAkgAAABUBAwABAAAAAgAAABYBBAABAAAAAgAAABcBBAABAAAACAAAABwBAwABAAAAAQAAAFIBAwABAAAAAgAAAAAAAAAK/xSAHgAo/w==',
      { width: 2, height: 2, channels: 2, pixels: [10, 255, 20, 128, 30, 0, 40, 255] },
    ],
    [
      'of a turned camera',
      'SUkqAAgAAAALAAABBAABAAAAAwAAAAEBBAABAAAAAgAAAAIBAwADAAAAkgAAAAMBAwABAAAAAQAAAAYBAwABAAAAAgAAABEBBAABAAAAmAAAABIBAwABAAAABgAAABUBAwABAAAAAwAAABYBBAABAAAAAgAAABcBBAABAAAAEgAAABwBAwABAAAAAQAAAAAAAAAIAAgACAAiIMx/l5m2B3wlZu2MEoohwfI=',
      { width: 2, height: 3, channels: 3, pixels: TURNED, isTurned: true },
    ],
  ])('%s that Pillow wrote has the pixels that Pillow reads', (_, base64, expected) => {
    expect(decode(Buffer.from(base64, 'base64'))).toEqual(expected);
  });

  it('of every kind, in strips and tiles, is read as it was written', () => {
    const cases = fc.record({
      depth: fc.constantFrom(1, 2, 4, 8, 16),
      colours: fc.constantFrom(0, 1, 2, 3),
      hasAlpha: fc.boolean(),
      isBig: fc.boolean(),
      isApart: fc.boolean(),
      isDifference: fc.boolean(),
      compression: fc.constantFrom(1, 5, 8, 32_773),
      piece: fc.constantFrom<Tiff['piece']>(undefined, 1, 3, [16, 16], [32, 16]),
      width: fc.integer({ min: 1, max: 40 }),
      height: fc.integer({ min: 1, max: 40 }),
      seed: fc.integer({ min: 1, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(cases, ({ hasAlpha, isDifference, depth, colours, width, height, seed, compression, ...form }) => {
        const isPalette = colours === 3;
        const bits = isPalette ? Math.min(depth, 8) : depth;
        const channels = (colours === 2 ? 3 : 1) + (hasAlpha && !isPalette ? 1 : 0);
        const top = 2 ** bits - 1;
        const draw = (i: number, below: number): number => ((i + 1) * seed * 7919) % below;
        const values = Array.from({ length: width * height * channels }, (_, i) => draw(i, top + 1));
        const palette = Array.from({ length: isPalette ? 3 * (top + 1) : 0 }, (_, i) => draw(i, 256) * 256);
        const file = encodeTiff({
          ...{ ...form, width, values, colours, palette, depth: bits as 8, samples: channels },
          ...{ compression: compression as 1, extra: hasAlpha && !isPalette ? 2 : undefined },
          isDifference: isDifference && bits >= 8,
        });
        const to8 = (value: number): number => (bits === 16 ? value >> 8 : (value * 255) / top);
        const pixels = values.flatMap((value, i) => {
          if (isPalette) return [0, 1, 2].map((c) => (palette[c * (top + 1) + value] as number) >> 8);
          const isAlpha = hasAlpha && i % channels === channels - 1;
          return [to8(colours === 0 && !isAlpha ? top - value : value)];
        });
        const found = decodeImage(file, 'x.tif');
        expect(found).toMatchObject({ width, height, channels: isPalette ? 3 : channels });
        expect(Buffer.from(pixels).equals(found.pixels)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  const grey = { width: 2, depth: 8, samples: 1, values: [1, 2, 3, 4], colours: 1 } as const;
  it('of 16 bits takes the white that is said, and tells its largest value', () => {
    const file = encodeTiff({ ...grey, depth: 16, values: [0, 100, 200, 50] });
    expect(decodeImage(file, 'x.tif', 200)).toMatchObject({ pixels: Uint8Array.of(0, 128, 255, 64), largest16: 200 });
  });

  it('whose colours are multiplied by alpha has them whole again; what is not said to be alpha is none', () => {
    const values = [50, 100, 0, 128, 9, 9, 9, 0];
    const rgba = { width: 2, depth: 8, samples: 4, values, colours: 2 } as const;
    expect(decode(encodeTiff({ ...rgba, extra: 1 }))).toMatchObject({ pixels: [99, 199, 0, 128, 9, 9, 9, 0] });
    expect(decode(encodeTiff({ ...rgba, extra: 0 }))).toMatchObject({ channels: 3, pixels: [50, 100, 0, 9, 9, 9] });
  });

  it('with several pictures gives the first one, and says how many there are', () => {
    expect(decode(encodeTiff({ ...grey, pictures: 2 }))).toMatchObject({ pixels: [1, 2, 3, 4], frames: 2 });
  });

  const good = encodeTiff(grey);
  it.each([
    ['cut inside its header', good.subarray(0, 60), 'cannot be decoded: it ends inside its header.'],
    ['cut inside its pixels', Uint8Array.of(...good.subarray(0, 4), 2, 0, 0, 0), 'cannot be decoded: it ends inside'],
    [
      'packed and damaged',
      encodeTiff({ ...grey, more: [[259, 5]] }),
      'cannot be decoded: it ends before its last pixel.',
    ],
    [
      'whose PackBits are cut short',
      encodeTiff({ ...grey, compression: 32_773, more: [[279, 4]] }),
      'cannot be decoded: it ends before its last row.',
    ],
    [
      'with strips for half its rows',
      encodeTiff({ ...grey, more: [[278, 1]] }),
      'cannot be decoded: it names 1 of its 2 strips or tiles.',
    ],
    ['of no rows', encodeTiff({ ...grey, more: [[257, 0]] }), 'cannot be decoded: it claims 2x0 pixels'],
    [
      'of more than 100 million',
      encodeTiff({
        ...grey,
        more: [
          [256, 60_000],
          [257, 60_000],
        ],
      }),
      'cannot be decoded: it claims 60000x60000 pixels',
    ],
    [
      'with tiles of as many',
      encodeTiff({
        ...grey,
        piece: [16, 16],
        more: [
          [322, 60_000],
          [323, 60_000],
        ],
      }),
      'cannot be decoded: it claims 60000x60000 pixels',
    ],
    [
      'whose tiles are filled up to as many',
      encodeTiff({
        ...grey,
        width: 1,
        values: new Array(64).fill(1),
        piece: [16, 1],
        more: [
          [322, 65_520],
          [257, 2_000],
        ],
      }),
      'cannot be decoded: it claims 65520x2000 pixels',
    ],
    [
      'with half a palette',
      encodeTiff({ ...grey, colours: 3, palette: [1, 2, 3] }),
      'cannot be decoded: its palette has 3 values, expected 768.',
    ],
    [
      'of a fax',
      encodeTiff({ ...grey, more: [[259, 4]] }),
      'is a TIFF image with the compression CCITT group 4, which is not read. Convert it: magick mogrify -format png FILE.',
    ],
    [
      'of inks',
      encodeTiff({ ...grey, more: [[262, 5]] }),
      'is a TIFF image with colours stored as CMYK, which is not read.',
    ],
    [
      'of floats',
      encodeTiff({ ...grey, more: [[339, 3]] }),
      'is a TIFF image with values that are no whole numbers from 0, which',
    ],
    ['of 12 bits', encodeTiff({ ...grey, more: [[258, 12]] }), 'is a TIFF image with 12 bits, which is not read.'],
  ])('%s is refused with the reason', (_, bytes, text) => {
    expect(() => decodeImage(bytes, 'x.tif')).toThrow(`LOCKSTEP_DATA_IMAGE: x.tif ${text}`);
  });
});
