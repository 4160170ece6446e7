import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findInk as findInkOnPage, prepare } from '../../../page/drawing.mjs';
import { allocateSplit, createDataset } from '../dataset/dataset.js';
import type { PlanarImage } from '../pictures/planar-image.js';
import { makePlain } from '../test-images.js';
import { centreInk, findCentre, findInk, measureInk, stretchContrast } from './ink.js';

/** A dark image with one light box. */
function drawBox(height: number, width: number, top: number, left: number, boxHeight: number, boxWidth: number) {
  const image = makePlain(0, height, width);
  for (let y = top; y < top + boxHeight; y++) image.pixels.fill(255, y * width + left, y * width + left + boxWidth);
  return image;
}

const datasetOf = (images: readonly PlanarImage[]) => {
  const { height, width } = images[0] as PlanarImage;
  const train = allocateSplit(images.length, height * width);
  for (const [index, { pixels }] of images.entries()) train.images.set(pixels, index * height * width);
  const shape = { channels: 1, height, width, classes: 2, mean: [0], std: [1] };
  return createDataset({ name: 'x', source: 'x', ...shape, train, validation: allocateSplit(0, 0), test: train });
};

describe('findInk', () => {
  it('gives the smallest box', () => {
    expect(findInk(drawBox(9, 8, 2, 3, 4, 5))).toEqual({ top: 2, bottom: 6, left: 3, right: 8 });
  });

  it('passes over faint pixels, and finds nothing in a blank image', () => {
    expect(findInk(makePlain(30, 5, 5))).toBeUndefined();
  });
});

describe('centreInk', () => {
  it('scales the longer side to its share and puts the centre of mass in the middle', () => {
    const centred = centreInk(drawBox(100, 200, 10, 150, 40, 20), 28, 28, 20 / 28);
    expect(findInk(centred)).toEqual({ top: 4, bottom: 24, left: 9, right: 19 });
    expect(findCentre(centred)).toEqual({ x: 14, y: 14 });
  });

  it('does not depend on where the drawing was', () => {
    const places = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 70 }));
    fc.assert(
      fc.property(places, ([top, left]) => {
        const moved = centreInk(drawBox(100, 100, top, left, 40, 30), 28, 28, 0.7);
        expect(Buffer.from(moved.pixels).equals(centreInk(drawBox(100, 100, 0, 0, 40, 30), 28, 28, 0.7).pixels)).toBe(
          true,
        );
      }),
    );
  });

  it('gives a blank image for a blank one', () => {
    expect(centreInk(makePlain(0, 50, 50), 28, 28, 0.7)).toEqual(makePlain(0, 28, 28));
  });

  it('gives the bytes that the exported page gives', () => {
    const pixels = fc.uint8Array({ minLength: 30 * 20, maxLength: 30 * 20 });
    fc.assert(
      fc.property(pixels, fc.double({ min: 0.3, max: 1, noNaN: true }), (values, ink) => {
        const image = { channels: 1, height: 30, width: 20, pixels: values };
        expect(findInkOnPage(image)).toEqual(findInk(image));
        const onPage = prepare(image, { height: 28, width: 24, ink });
        expect(Buffer.from(onPage).equals(centreInk(image, 28, 24, ink).pixels)).toBe(true);
      }),
    );
  });
});

describe('measureInk', () => {
  const centred = [drawBox(28, 28, 4, 9, 20, 10), drawBox(28, 28, 9, 4, 10, 20)];

  it('is the share of the side that centred drawings take', () => {
    expect(measureInk(datasetOf(centred), 0, 255)).toBeCloseTo(20 / 28, 12);
  });

  it('is undefined for drawings that are not centred, and for a light ground', () => {
    expect(measureInk(datasetOf([drawBox(28, 28, 0, 0, 10, 10), drawBox(28, 28, 1, 2, 8, 8)]), 0, 255)).toBeUndefined();
    expect(measureInk(datasetOf(centred), 0.4, 255)).toBeUndefined();
  });
});

it('stretchContrast makes the ground 0 and the lightest pixel 255', () => {
  const image = makePlain(60, 6, 6);
  image.pixels[14] = 180;
  image.pixels[15] = 120;
  const stretched = stretchContrast(image);
  expect([stretched.pixels[0], stretched.pixels[14], stretched.pixels[15]]).toEqual([0, 255, 128]);
  const flat = makePlain(60, 6, 6);
  expect(stretchContrast(flat)).toBe(flat);
});
