import { describe, expect, it } from 'vitest';
import { makePlain } from '../test-images.js';
import { invert, isTransparent, measureEdges, toPlanar, withChannels } from './planar-image.js';

const raw = (channels: number, ...pixels: number[]) => ({
  width: pixels.length / channels,
  height: 1,
  channels,
  pixels: Uint8Array.from(pixels),
});

describe('toPlanar', () => {
  it('takes RGB apart into planes', () => {
    const { channels, pixels } = toPlanar(raw(3, 1, 2, 3, 4, 5, 6));
    expect([channels, ...pixels]).toEqual([3, 1, 4, 2, 5, 3, 6]);
  });

  it('takes RGB whose three values are equal everywhere as grey', () => {
    expect(toPlanar(raw(3, 7, 7, 7, 9, 9, 9))).toMatchObject({ channels: 1, pixels: Uint8Array.of(7, 9) });
    expect(toPlanar(raw(3, 7, 7, 7, 9, 9, 8)).channels).toBe(3);
  });

  it('puts transparent pixels on white, or on the ground given', () => {
    expect([...toPlanar(raw(2, 100, 255, 100, 0, 100, 128)).pixels]).toEqual([100, 255, 177]);
    expect([...toPlanar(raw(2, 100, 255, 100, 0, 100, 128), 0).pixels]).toEqual([100, 0, 50]);
  });
});

it('isTransparent asks whether any pixel lets the ground through', () => {
  expect(isTransparent(raw(4, 1, 2, 3, 255))).toBe(false);
  expect(isTransparent(raw(4, 1, 2, 3, 255, 1, 2, 3, 254))).toBe(true);
  expect(isTransparent(raw(3, 1, 2, 3))).toBe(false);
});

describe('withChannels', () => {
  it('repeats grey', () => {
    expect([...withChannels(toPlanar(raw(1, 5, 6)), 3).pixels]).toEqual([5, 6, 5, 6, 5, 6]);
  });

  it('takes the luma of colours as PIL does', () => {
    const red = withChannels(toPlanar(raw(3, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255)), 1);
    expect([...red.pixels]).toEqual([76, 150, 29, 255]);
  });
});

it('invert turns 0 into 255', () => {
  expect([...invert(toPlanar(raw(1, 0, 200, 255))).pixels]).toEqual([255, 55, 0]);
});

it('measureEdges looks at the edges alone, and at each corner once', () => {
  const image = makePlain(255, 3, 3);
  image.pixels[4] = 0;
  expect(measureEdges(image)).toBe(1);
  image.pixels[0] = 0;
  expect(measureEdges(image)).toBe(7 / 8);
  expect(measureEdges(makePlain(51, 4, 1))).toBeCloseTo(0.2, 12);
});
