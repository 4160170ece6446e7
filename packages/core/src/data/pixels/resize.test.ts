import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeImage, makePlain } from '../test-images.js';
import { resizeImage } from './resize.js';

const side = fc.integer({ min: 1, max: 40 });

describe('resizeImage', () => {
  it('leaves an image of the right size as it is', () => {
    const image = makeImage(3, 5, 4);
    expect(resizeImage(image, 5, 4)).toBe(image);
  });

  it('keeps a plain image plain, whatever the sizes', () => {
    fc.assert(
      fc.property(side, side, side, side, fc.integer({ min: 0, max: 255 }), (h, w, toH, toW, level) => {
        expect([...new Set(resizeImage(makePlain(level, h, w), toH, toW).pixels)]).toEqual([level]);
      }),
    );
  });

  it('shrinks 4 pixels to 2 with the weights 3, 3, 1 and 1, 3, 3 of a triangle four pixels wide', () => {
    const row = { channels: 1, height: 1, width: 4, pixels: Uint8Array.of(10, 20, 40, 80) };
    // (3*10 + 3*20 + 1*40) / 7 = 18.57 and (1*20 + 3*40 + 3*80) / 7 = 54.29
    expect([...resizeImage(row, 1, 2).pixels]).toEqual([19, 54]);
  });

  it('enlarges 2 pixels to 4 bilinearly', () => {
    const row = { channels: 1, height: 1, width: 2, pixels: Uint8Array.of(0, 100) };
    expect([...resizeImage(row, 1, 4).pixels]).toEqual([0, 25, 75, 100]);
  });

  it('treats every channel by itself, and rows as columns', () => {
    const image = { channels: 2, height: 2, width: 1, pixels: Uint8Array.of(0, 100, 100, 0) };
    expect([...resizeImage(image, 4, 1).pixels]).toEqual([0, 25, 75, 100, 100, 75, 25, 0]);
  });
});
