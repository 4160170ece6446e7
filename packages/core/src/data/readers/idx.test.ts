import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeImages, makeLabels } from '../mnist/test-mnist.js';
import { encodeIdxImages, encodeIdxLabels, parseIdxImages, parseIdxLabels } from './idx.js';

const fromHex = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

describe('IDX files', () => {
  it('are read as MNIST describes them: images of 1x2x3', () => {
    const bytes = fromHex('00000803 00000002 00000002 00000003 010203 040506 0708ff 000a0b');
    const images = parseIdxImages(bytes, 'images');
    expect(images).toMatchObject({ count: 2, channels: 1, height: 2, width: 3 });
    expect([...images.pixels]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 255, 0, 10, 11]);
  });

  it('are read with channels: one image of 2x1x3', () => {
    const images = parseIdxImages(fromHex('00000804 00000001 00000002 00000001 00000003 010203 040506'), 'images');
    expect(images).toMatchObject({ count: 1, channels: 2, height: 1, width: 3 });
    expect([...images.pixels]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('are read as labels', () => {
    expect([...parseIdxLabels(fromHex('00000801 00000003 070009'), 'labels')]).toEqual([7, 0, 9]);
  });

  it('are read from the middle of a buffer', () => {
    const whole = fromHex('ffff 00000801 00000001 05 ff');
    expect([...parseIdxLabels(whole.subarray(2, 11), 'labels')]).toEqual([5]);
  });

  it('come back as they were written: images', () => {
    const side = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(side, side, side, side, (count, channels, height, width) => {
        const pixels = Uint8Array.from({ length: count * channels * height * width }, (_, i) => i % 256);
        const images = { count, channels, height, width, pixels };
        expect(parseIdxImages(encodeIdxImages(images), 'images')).toEqual(images);
      }),
    );
  });

  it('come back as they were written: labels', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), (labels) => {
        expect(parseIdxLabels(encodeIdxLabels(labels), 'labels')).toEqual(labels);
      }),
    );
  });
});

describe('damaged IDX files', () => {
  it.each<[string, Uint8Array, string]>([
    [
      'labels where images belong',
      makeLabels(4),
      'LOCKSTEP_DATA_MAGIC: f starts with 0x00000801 (labels), expected 0x00000803 or 0x00000804 (images). Were images and labels swapped?',
    ],
    [
      'a zip archive',
      Buffer.from('PK\x03\x04...'),
      'f starts with 0x504b0304, expected 0x00000803 or 0x00000804 (images). It is a zip archive: unpack it first.',
    ],
    ['a web page', Buffer.from('<html></html>'), 'It looks like a web page: download the file itself.'],
    ['a Git LFS pointer', Buffer.from('version https://git-lfs'), 'It looks like a Git LFS pointer: run git lfs pull.'],
    ['a little-endian header', fromHex('03080000 01000000'), 'Its header is little-endian: IDX is big-endian.'],
    [
      'float elements',
      fromHex('00000d03 00000001'),
      'f starts with 0x00000d03, expected 0x00000803 or 0x00000804 (images). Only uint8 elements (third byte 08) in 3 or 4 dimensions are read.',
    ],
    [
      'something else',
      Buffer.from('GIF89a'),
      'f starts with 0x47494638, expected 0x00000803 or 0x00000804 (images). It is not an IDX file: download it again.',
    ],
    [
      'an empty file',
      new Uint8Array(0),
      'LOCKSTEP_DATA_SIZE: f has 0 bytes, too few for the magic number at offset 0. The file is damaged: download it again.',
    ],
    [
      'a header cut short',
      makeImages(2).subarray(0, 15),
      'LOCKSTEP_DATA_SIZE: f ends at offset 15, inside its 16-byte header.',
    ],
    [
      'no images',
      fromHex('00000803 00000000 00000003 00000002'),
      'LOCKSTEP_DATA_DIMENSION: f: the count at offset 4 is 0, expected at least 1. The file is damaged: download it again.',
    ],
    [
      'no height',
      fromHex('00000803 00000001 00000000 00000002'),
      'f: the height at offset 8 is 0, expected 1 to 65536.',
    ],
    [
      'a huge width',
      fromHex('00000803 00000001 00000001 00010001'),
      'f: the width at offset 12 is 65537, expected 1 to 65536.',
    ],
    [
      'huge channels',
      fromHex('00000804 00000001 ffffffff 00000001 00000001'),
      'f: the channels at offset 8 is 4294967295, expected 1 to 65536.',
    ],
    [
      'one byte too few',
      makeImages(2).subarray(0, 27),
      'LOCKSTEP_DATA_SIZE: f: its header says 2x3x2 images, 12 bytes from offset 16, but the file ends at offset 27, 1 too early. The file is damaged: download it again.',
    ],
    [
      'three bytes too many',
      Buffer.concat([makeImages(2), fromHex('010203')]),
      'LOCKSTEP_DATA_SIZE: f: its header says 2x3x2 images, 12 bytes from offset 16, but 3 more follow from offset 28 on.',
    ],
    [
      'far fewer bytes than a huge header asks for',
      fromHex('00000803 ffffffff 00010000 00010000 00'),
      'but the file ends at offset 17,',
    ],
  ])('are named with offset and advice where images are read: %s', (_, bytes, text) => {
    expect(() => parseIdxImages(bytes, 'f')).toThrow(text);
  });

  it.each<[string, Uint8Array, string]>([
    [
      'images where labels belong',
      makeImages(4),
      'LOCKSTEP_DATA_MAGIC: f starts with 0x00000803 (images), expected 0x00000801 (labels). Were images and labels swapped?',
    ],
    [
      'images with channels where labels belong',
      makeImages(4, 3),
      'f starts with 0x00000804 (images), expected 0x00000801 (labels).',
    ],
    [
      'two dimensions',
      fromHex('00000802 00000001'),
      'f starts with 0x00000802, expected 0x00000801 (labels). Only uint8 elements (third byte 08) in 1 dimensions are read.',
    ],
    [
      'one label too few',
      makeLabels(9).subarray(0, 16),
      'LOCKSTEP_DATA_SIZE: f: its header says 9 labels, 9 bytes from offset 8, but the file ends at offset 16, 1 too early.',
    ],
    ['one label too many', Buffer.concat([makeLabels(9), fromHex('01')]), 'but 1 more follow from offset 17 on.'],
  ])('are named with offset and advice where labels are read: %s', (_, bytes, text) => {
    expect(() => parseIdxLabels(bytes, 'f')).toThrow(text);
  });
});
