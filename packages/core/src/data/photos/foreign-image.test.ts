import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawImage } from '../pictures/formats/raw-image.js';
import type { DataNotes } from '../pixels/data-notes.js';
import { INK } from '../pixels/ink.js';
import { fitImage } from './foreign-image.js';

const MNIST_INPUT = { channels: 1, height: 28, width: 28 };
const notes: DataNotes = { mean: [0.13], std: [0.3], classNames: ['0', '1'], border: 0, ink: 20 / 28 };
const photos: DataNotes = { mean: [0.5, 0.5, 0.5], std: [0.3, 0.3, 0.3], classNames: ['a', 'b'], border: 0.5 };

/** An image of one value with a vertical bar of another. */
function drawBar(height: number, width: number, ground: readonly number[], bar: readonly number[]): RawImage {
  const channels = ground.length;
  const pixels = new Uint8Array(height * width * channels);
  for (let i = 0; i < height * width; i++) {
    const x = i % width;
    const y = Math.floor(i / width);
    const isBar = Math.abs(x - width / 2) < width / 10 && y > height / 5 && y < (4 * height) / 5;
    pixels.set(isBar ? bar : ground, i * channels);
  }
  return { height, width, channels, pixels };
}

describe('fitImage', () => {
  it('leaves an image of the training form as it is', () => {
    const raw = drawBar(28, 28, [0], [255]);
    expect(fitImage(raw, MNIST_INPUT, notes)).toEqual({ image: { ...MNIST_INPUT, pixels: raw.pixels }, changes: [] });
  });

  it('inverts dark ink on a light ground, and says so', () => {
    const { image, changes } = fitImage(drawBar(28, 28, [255], [0]), MNIST_INPUT, notes);
    expect(Buffer.from(image?.pixels ?? []).equals(drawBar(28, 28, [0], [255]).pixels)).toBe(true);
    expect(changes).toEqual(['inverted, since the training images have a dark ground']);
  });

  it('takes the grey of colours, and centres a larger drawing', () => {
    const { image, changes } = fitImage(drawBar(100, 90, [250, 250, 255], [20, 0, 0]), MNIST_INPUT, notes);
    expect(image).toMatchObject(MNIST_INPUT);
    expect(changes).toEqual([
      'colours to grey',
      'inverted, since the training images have a dark ground',
      'drawing found in 100x90 pixels, scaled and centred in 28x28',
    ]);
    expect([image?.pixels[0], image?.pixels[14 * 28 + 14]]).toEqual([0, 255]);
  });

  it.each([
    ['dark', [0, 0, 0, 255], 'white', 'inverted, since the training images have a dark ground'],
    ['light', [255, 255, 255, 255], 'black', undefined],
  ])('puts a %s drawing on a ground on which it shows', (_, ink, ground, inverted) => {
    const { image, changes } = fitImage(drawBar(28, 28, [0, 0, 0, 0], ink), MNIST_INPUT, notes);
    expect(Buffer.from(image?.pixels ?? []).equals(drawBar(28, 28, [0], [255]).pixels)).toBe(true);
    expect(changes).toEqual([`transparent parts made ${ground}`, ...(inverted === undefined ? [] : [inverted])]);
  });

  it('stretches an image for a model of photographs and repeats grey', () => {
    const { image, changes } = fitImage(drawBar(40, 30, [255], [0]), { channels: 3, height: 32, width: 32 }, photos);
    expect(image).toMatchObject({ channels: 3, height: 32, width: 32 });
    expect(changes).toEqual(['grey to RGB', 'resized from 40x30 to 32x32']);
  });

  it('cases: data 29: gives no image where nothing is drawn', () => {
    for (const side of [28, 40, 300]) {
      const { image, changes } = fitImage(drawBar(side, side, [235], [235]), MNIST_INPUT, notes);
      expect({ image, last: changes.at(-1) }).toEqual({ image: undefined, last: 'no drawing found' });
    }
  });

  it.each([28, 40, 300])('gives no image of %i pixels a side where no more than noise is on the sheet', (side) => {
    fc.assert(
      fc.property(fc.nat(255), fc.array(fc.nat(INK - 1), { minLength: 97, maxLength: 97 }), (level, noise) => {
        const raw = drawBar(side, side, [level], [level]);
        for (let i = 0; i < side * side; i++) raw.pixels[i] = Math.min(255, level + (noise[(i * i) % 97] as number));
        const { image, changes } = fitImage(raw, MNIST_INPUT, notes);
        expect({ image, last: changes.at(-1) }).toEqual({ image: undefined, last: 'no drawing found' });
      }),
      { numRuns: side > 100 ? 3 : 50, endOnFailure: side > 100 },
    );
  });

  it('gives what stands out from the sheet, if only just, as faint as it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 - INK }), (level) => {
        const raw = drawBar(28, 28, [level], [level + INK]);
        const { image } = fitImage(raw, MNIST_INPUT, notes);
        const [sheet, bar] = [image?.pixels[0] as number, image?.pixels[14 * 28 + 14] as number];
        expect(Math.abs(bar - sheet)).toBe(INK);
      }),
    );
  });

  it('looks for no drawing where the training images are none', () => {
    const { image, changes } = fitImage(drawBar(300, 300, [235], [235]), MNIST_INPUT, { ...notes, ink: undefined });
    expect(image).toMatchObject(MNIST_INPUT);
    expect(changes.at(-1)).toBe('resized from 300x300 to 28x28');
  });

  it('refuses a model that reads neither grey nor RGB', () => {
    expect(() => fitImage(drawBar(4, 4, [0], [9]), { channels: 5, height: 4, width: 4 }, notes)).toThrow(
      'LOCKSTEP_PREDICT_CHANNELS: the model reads images of 5 channels; pictures have 1 or 3. Evaluate it on an .npz or IDX file instead.',
    );
  });
});
