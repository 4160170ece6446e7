import { crc32 } from 'node:zlib';
import { encode } from 'fast-png';
import jpeg from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { makeImage } from '../test-images.js';
import { decodeImage } from './image-file.js';
import { isImageName } from './image-names.js';
import { encodePngImage } from './png-file.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Pixels of an image, rows after one another, channels interleaved. */
const rgba = Uint8Array.from({ length: 4 * 6 }, (_, i) => i * 10);

describe('decodeImage of a PNG', () => {
  it('gives the channels as they are, with 8 bits', () => {
    const bytes = encode({ width: 3, height: 2, channels: 4, depth: 8, data: rgba });
    expect(decodeImage(bytes, 'a.png')).toEqual({ width: 3, height: 2, channels: 4, pixels: rgba });
  });

  it('cuts 16-bit values to their upper byte', () => {
    const data = Uint16Array.of(0x0000, 0x01ff, 0x80ff, 0xffff);
    const bytes = encode({ width: 2, height: 2, channels: 1, depth: 16, data });
    expect([...decodeImage(bytes, 'a.png').pixels]).toEqual([0, 1, 128, 255]);
  });

  it('spreads grey of one bit over rows that end inside a byte', () => {
    // two rows of three pixels, one byte each: 101 and 011
    const data = Uint8Array.of(0b1010_0000, 0b0110_0000);
    const bytes = encode({ width: 3, height: 2, channels: 1, depth: 1, data });
    expect([...decodeImage(bytes, 'a.png').pixels]).toEqual([255, 0, 255, 0, 255, 255]);
  });

  it('looks up the colours of a palette', () => {
    const palette = [
      [10, 20, 30],
      [200, 100, 0],
    ];
    const bytes = encode({ width: 2, height: 1, channels: 1, depth: 8, data: Uint8Array.of(1, 0), palette });
    expect(decodeImage(bytes, 'a.png')).toMatchObject({ channels: 3, pixels: Uint8Array.of(200, 100, 0, 10, 20, 30) });
  });

  it('cases: data 22: of several pictures (APNG) gives the first one, and says how many there are', () => {
    const plain = encodePngImage(makeImage(1, 5, 7));
    const chunk = Buffer.from('0000000861635441000000030000000000000000', 'hex');
    chunk.write('acTL', 4, 'latin1');
    chunk.writeUInt32BE(crc32(chunk.subarray(4, 16)), 16);
    const moving = Uint8Array.of(...plain.subarray(0, 33), ...chunk, ...plain.subarray(33));
    expect(decodeImage(moving, 'a.png')).toEqual({ ...decodeImage(plain, 'a.png'), frames: 3 });
  });

  it.each([1, 3])('reads what encodePngImage wrote, %i channels', (channels) => {
    const image = makeImage(channels, 5, 7);
    const decoded = decodeImage(encodePngImage(image), 'a.png');
    const planar = Array.from({ length: channels }, (_, c) => decoded.pixels.filter((_, i) => i % channels === c));
    expect(Buffer.concat(planar).equals(image.pixels)).toBe(true);
  });
});

it('decodeImage of a JPEG gives RGB near what was encoded', () => {
  const data = new Uint8Array(4 * 64).fill(120);
  const image = decodeImage(new Uint8Array(jpeg.encode({ width: 8, height: 8, data }, 95).data), 'a.jpg');
  expect(image).toMatchObject({ width: 8, height: 8, channels: 3 });
  for (const value of image.pixels) expect(Math.abs(value - 120)).toBeLessThanOrEqual(2);
});

const good = encode({ width: 3, height: 2, channels: 4, depth: 8, data: rgba });
const withByte = (at: number, value: number): Uint8Array => Uint8Array.from(good, (old, i) => (i === at ? value : old));

describe('decodeImage of what it cannot read', () => {
  it.each([
    [
      'an empty file',
      new Uint8Array(0),
      'x.png is empty, expected a PNG, JPEG, BMP, GIF or TIFF image. Convert it (magick mogrify -format png FILE) or remove it.',
    ],
    ['a WebP', bytesOf('RIFF0000WEBPVP8 '), 'x.png is a WebP image, expected a PNG'],
    ['an AVIF', bytesOf('....ftypavif'), 'x.png is an AVIF image, expected'],
    ['a HEIC', bytesOf('....ftypheic'), 'x.png is a HEIC image, expected'],
    ['a BigTIFF', bytesOf('II+\0........'), 'x.png is a BigTIFF image, expected'],
    ['text', bytesOf('hello'), 'x.png is not an image, expected'],
    ['a PNG cut short', good.subarray(0, 50), 'x.png cannot be decoded: '],
    [
      'a PNG cut inside its header',
      good.subarray(0, 20),
      'x.png cannot be decoded: it ends inside its header. The file is damaged',
    ],
    ['a PNG with a wrong bit', withByte(45, 0x55), 'x.png cannot be decoded: '],
    [
      'a PNG that claims 2^31 pixels in a row',
      withByte(16, 0x7f),
      'x.png cannot be decoded: it claims 2130706435x2 pixels, the limit is 100000000 in all',
    ],
    ['a JPEG cut short', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16), 'x.png cannot be decoded: '],
  ])('names the file and the reason: %s', (_, bytes, text) => {
    expect(() => decodeImage(bytes, 'x.png')).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_DATA_IMAGE', text: expect.stringContaining(text) }),
    );
  });
});

it('isImageName goes by the ending, whatever its case', () => {
  expect(['a.png', 'b.JPG', 'c.jpeg', 'd.gif', 'e.BMP', 'f.tif', 'g.tiff'].every(isImageName)).toBe(true);
  expect(['png', 'e.png.txt', 'f.webp', 'g.tif.gz'].some(isImageName)).toBe(false);
});
