import { describe, expect, it } from 'vitest';
import { decodeImage } from '../image-file.js';
import { HEIGHT, makePhoto, WIDTH } from './test-photo.js';

function cornersOf(bytes: Uint8Array): number[] {
  const { width, height, channels, pixels } = decodeImage(bytes, 'photo.jpg');
  const at = (x: number, y: number): number => pixels[channels * (y * width + x)] as number;
  return [at(2, 2), at(width - 3, 2), at(2, height - 3), at(width - 3, height - 3)];
}

describe('decodeImage of a JPEG from a turned phone', () => {
  // EXIF says on which side the stored first row and first column are to be seen
  it.each([
    [1, 'top, left', [40, 100, 160, 220]],
    [2, 'top, right', [100, 40, 220, 160]],
    [3, 'bottom, right', [220, 160, 100, 40]],
    [4, 'bottom, left', [160, 220, 40, 100]],
    [5, 'left, top', [40, 160, 100, 220]],
    [6, 'right, top', [160, 40, 220, 100]],
    [7, 'right, bottom', [220, 100, 160, 40]],
    [8, 'left, bottom', [100, 220, 40, 160]],
  ])('cases: data 28: turns it upright by orientation %i: %s', (orientation, _, corners) => {
    for (const isLittle of [false, true]) {
      const photo = makePhoto(orientation, isLittle);
      const found = cornersOf(photo);
      for (const [i, level] of corners.entries()) expect(Math.abs((found[i] as number) - level)).toBeLessThanOrEqual(4);
      const { width, height } = decodeImage(photo, 'photo.jpg');
      expect([width, height]).toEqual(orientation >= 5 ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT]);
      expect(decodeImage(photo, 'photo.jpg').isTurned ?? false).toBe(orientation !== 1);
    }
  });

  it('leaves it as it is where the block says nothing that is known', () => {
    for (const orientation of [0, 9, 65_535])
      expect(decodeImage(makePhoto(orientation, true), 'x.jpg').width).toBe(WIDTH);
    const photo = makePhoto(6, false);
    // its list of entries begins behind its end
    photo.set([0xff, 0xff], 18);
    expect(decodeImage(photo, 'x.jpg').width).toBe(WIDTH);
  });
});
