import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textOf } from '../../text/data-report-text.js';
import { findZooModel } from '../../zoo/zoo.js';
import { createArrayDataset } from '../array-dataset.js';
import { measureWhite } from '../dataset/normalization.js';
import { assumeData, describeData, parseDataNotes } from './data-notes.js';
import {
  chooseNotes,
  describePixels,
  fitChoice,
  fitDataset,
  groundOf,
  normalizationFor,
  type PixelChoice,
  takePixels,
} from './pixels.js';

const { model } = findZooModel('lenet5');

/** A square drawing in the middle of a 6x6 image, of the value `ink` on the value `paper`. */
function drawings(ink: number, paper: number, more: object = {}) {
  const image = Uint8Array.from({ length: 36 }, (_, i) => {
    const [x, y] = [i % 6, Math.floor(i / 6)];
    return x > 1 && x < 4 && y > 1 && y < 4 ? ink : paper;
  });
  const split = { images: image, labels: [1] };
  return createArrayDataset({ channels: 1, height: 6, width: 6, classes: 2, train: split, test: split, ...more });
}

describe('the white of a dataset', () => {
  it.each([
    [[0, 1], 1],
    [[0, 16], 16],
    [[3, 127], 127],
    [[0, 128], 255],
    [[7, 7], 255],
    [[0, 0], 255],
  ])('of pixels %j is %i', (pixels, white) => {
    expect(measureWhite({ count: 1, images: Uint8Array.from(pixels), labels: new Uint8Array(1) })).toBe(white);
  });

  it('is kept in the notes, with ground and ink as of pixels to 255', () => {
    const full = describeData(drawings(255, 0));
    expect(full).toMatchObject({ border: 0, ink: 1 / 3 });
    expect(full.white).toBeUndefined();
    expect(describeData(drawings(16, 0))).toMatchObject({ border: 0, ink: 1 / 3, white: 16 });
    expect(groundOf(describeData(drawings(0, 1)))).toBe('light');
  });

  it.each([0, 1])(
    'cases: data 18: of images of %i all over, and without ink, is written as it can be read',
    (value) => {
      const notes = describeData(drawings(value, value));
      expect(notes).not.toHaveProperty('ink');
      expect(parseDataNotes(JSON.stringify(notes), model, 'w')).toMatchObject({ mean: notes.mean, std: notes.std });
    },
  );

  it('cases: data 18: is 255, and no drawing is looked for, in a file that says ink 0', () => {
    const written = { mean: [0.01], std: [0.02], classNames: ['0', '1'], border: 0.01, ink: 0 };
    const read = parseDataNotes(JSON.stringify(written), model, 'w');
    expect(read).toMatchObject({ mean: [0.01], std: [0.02] });
    expect(read).not.toHaveProperty('ink');
  });
});

describe('normalizationFor', () => {
  it('gives a pixel of any white what the model saw in training', () => {
    const white = fc.integer({ min: 1, max: 255 });
    const fraction = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(white, white, fraction, fraction, fraction, (own, other, mean, std, value) => {
        const notes = { mean: [mean], std: [std], white: own };
        const apply = (v: number, { mean: [m = 0], std: [s = 1] }: ReturnType<typeof normalizationFor>) =>
          (v / 255 - m) / s;
        const [trained, later] = [
          apply(value * own, normalizationFor(notes, own)),
          apply(value * other, normalizationFor(notes, other)),
        ];
        expect(later).toBeCloseTo(trained, 9);
        expect(normalizationFor(notes, own)).toEqual({ mean: [mean], std: [std] });
      }),
    );
  });
});

describe('a dataset for a model that was trained before', () => {
  const notes = describeData(drawings(255, 0, { mean: [0.2], std: [0.4] }));

  it('takes the mean and std of the model', () => {
    const { dataset, changes } = fitDataset(drawings(250, 0), notes);
    expect(dataset).toMatchObject({ mean: [0.2], std: [0.4] });
    expect(changes).toEqual([]);
  });

  it('of another white is scaled, exactly, and inverted where its ground is the other one', () => {
    const { dataset, changes } = fitDataset(drawings(0, 1), notes);
    expect(changes).toEqual([
      'scaled from white 1 to the 255 of the training images',
      'inverted, since the training images have a dark ground',
    ]);
    expect(dataset.test.images).toEqual(drawings(1, 0).test.images);
    expect(dataset.mean[0]).toBeCloseTo(0.2 / 255, 12);
  });

  it('is not scaled for a largest pixel a little below white, but always to a white that it says', () => {
    const sixteen = describeData(drawings(16, 0));
    expect(fitDataset(drawings(14, 0), sixteen).changes).toEqual([]);
    expect(fitDataset(drawings(14, 0, { white: 15 }), sixteen).changes).toEqual([
      'scaled from white 15 to the 16 of the training images',
    ]);
  });
});

describe('what is said of pixels', () => {
  it('goes before what a file says, one number for all channels', () => {
    const rgb = { ...assumeData({ ...model, input: { ...model.input, channels: 3 } }) };
    const chosen = chooseNotes(rgb, { mean: [0.5], std: [0.1, 0.2, 0.3], ground: 'light', white: 16 });
    expect(chosen).toMatchObject({ mean: [0.5, 0.5, 0.5], std: [0.1, 0.2, 0.3], border: 1, white: 16 });
    expect(describePixels(chosen)).toBe('mean 0.5, std 0.1,0.2,0.3, light ground, white 16');
  });

  it.each<[PixelChoice, string]>([
    [{ mean: [33.3] }, 'mean must be fractions from 0 to 1, such as 0.1307'],
    [{ std: [0] }, 'std must be fractions above 0 and up to 1, such as 0.3081'],
    [{ mean: [0.1, 0.2], std: [0.3] }, 'mean has 2 numbers, the images have 3 channels'],
    [{ mean: [0.1] }, 'mean needs std as well: pixels are normalized by both'],
    [{ std: [0.1], white: 9 }, 'std needs mean as well'],
    [{ white: 256 }, 'white must be a whole number from 1 to 255'],
    [{ ground: 'grey' as never }, 'ground must be one of dark, light, mixed'],
  ])('is refused: %j', (choice, text) => {
    expect(() => fitChoice(choice, 3)).toThrow(`LOCKSTEP_DATA_PIXELS: ${text}`);
  });

  it('of a run that goes on comes from the run before, of one from weights from these, unless it is said anew', () => {
    const dataset = drawings(200, 100);
    const resumed = { mean: [0.3], std: [0.6], white: 250 };
    expect(takePixels(dataset, { resumed }, {})).toMatchObject({ ...resumed });
    expect(takePixels(dataset, { resumed }, {}).notes).toBeUndefined();
    const weights = { mean: [0.1], std: [0.2], border: 0 };
    const taken = takePixels(dataset, { weights }, {});
    expect(taken).toMatchObject({ mean: [0.1], std: [0.2] });
    expect(taken.notes?.map(textOf)).toEqual([
      'pixels are normalized as for the weights, mean 0.1, std 0.2; the data itself would give mean 0.4357, std 0.1232',
    ]);
    const said = takePixels(dataset, { weights }, { mean: [0.9], std: [0.8], ground: 'light' });
    expect(said).toMatchObject({ mean: [0.9], std: [0.8], ground: 'light' });
    expect(said.notes).toBeUndefined();
    expect(describeData(said).border).toBe(1);
  });

  it.each([
    [drawings(200, 20), 1, 'a light'],
    [drawings(20, 200), 0, 'a dark'],
  ])('tells that the weights of a run read the other ground, unless a ground is said', (dataset, border, ground) => {
    const { mean, std } = dataset;
    const weights = { mean, std, border };
    expect(takePixels(dataset, { weights }, {}).notes?.map(textOf)).toEqual([
      expect.stringContaining(`the weights were trained on ${ground} ground, these images lie on the other`),
    ]);
    expect(takePixels(dataset, { weights }, { ground: 'mixed' }).notes).toBeUndefined();
    expect(takePixels(dataset, { weights: { mean, std, border: 1 - border } }, {}).notes).toBeUndefined();
    expect(takePixels(dataset, { resumed: { mean: [...mean], std: [...std] }, weights }, {}).notes).toBeUndefined();
  });

  it('tells a white that was measured', () => {
    expect(takePixels(drawings(16, 0), {}, {}).notes?.map(textOf)).toEqual([
      'the largest pixel of the training images is 16, and taken for white (--white says otherwise)',
    ]);
    expect(takePixels(drawings(16, 0), {}, { white: 16 }).notes).toBeUndefined();
  });
});
