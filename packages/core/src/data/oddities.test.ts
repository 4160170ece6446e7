import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArrayDatasetOptions, createArrayDataset } from './array-dataset.js';
import { findOddities } from './oddities.js';

/** Images of 1x2x2, each of the number that stands for it: none blank, no two numbers alike, pixels from 30 to 255. */
const draw = (numbers: readonly number[]): Uint8Array =>
  Uint8Array.from(numbers.flatMap((n) => [30, 200 - (n % 100), 100 + Math.floor(n / 100), 255]));

const part = (numbers: readonly number[], labels: readonly number[]) => ({ images: draw(numbers), labels });

function make(parts: Pick<ArrayDatasetOptions, 'train' | 'test' | 'validation'>) {
  return createArrayDataset({ channels: 1, height: 2, width: 2, classes: 3, ...parts });
}

const textsOf = (parts: Parameters<typeof make>[0]): string[] => findOddities(make(parts)).map(({ text }) => text);

const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);

describe('oddities', () => {
  it('are none in data whose parts have all classes and no image in common', () => {
    const train = part(upTo(6), [0, 1, 2, 0, 1, 2]);
    expect(textsOf({ train, test: part(upTo(3, 10), [0, 1, 2]), validation: part(upTo(3, 20), [2, 1, 0]) })).toEqual(
      [],
    );
  });

  it('count every image of another part that is a training image, and those of them under another label', () => {
    const numbers = fc.array(fc.record({ number: fc.nat(40), label: fc.nat(2) }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(numbers, numbers, (train, test) => {
        const labelOf = (number: number) => train.find((one) => one.number === number)?.label;
        const shared = test.filter(({ number }) => labelOf(number) !== undefined);
        const others = shared.filter(({ number, label }) => labelOf(number) !== label);
        const split = (list: typeof train) =>
          part(
            list.map(({ number }) => number),
            list.map(({ label }) => label),
          );
        const found = findOddities(make({ train: split(train), test: split(test) }));
        const note = found.find(({ text }) => text.includes('are training images too'));
        expect(note?.count ?? 0).toBe(shared.length);
        expect(note?.text.includes(`${others.length} of them under another label`) ?? false).toBe(others.length > 0);
      }),
    );
  });

  it('cases: data 21: are blank images, counted over all parts, and images that are all the same', () => {
    const blank = { images: new Uint8Array(16).fill(9), labels: [0, 1, 2, 0] };
    expect(textsOf({ train: blank, test: { images: new Uint8Array(4).fill(9), labels: [0] } })).toEqual([
      '5 of 5 images are blank: all pixels of an image are equal',
      'all 4 training images are the same',
      'the test set has no image of 2 classes (1, 2) of the training set',
    ]);
  });

  it('are training images of which more than half are copies', () => {
    const test = part([50, 51, 52], [0, 1, 2]);
    expect(textsOf({ train: part([1, 1, 1, 1, 2, 3], [0, 1, 2, 0, 1, 2]), test })).toEqual([]);
    expect(textsOf({ train: part([1, 1, 1, 1, 1, 2], [0, 1, 2, 0, 1, 2]), test })).toEqual([
      '4 of 6 training images are copies of others',
    ]);
  });

  it.each([
    [15, 240, false],
    [15, 241, true],
    [255, 1, true],
    [255, 0, true],
  ])('cases: data 16: are largest pixels of %i and %i: %s', (own, other, isOdd) => {
    const images = (most: number, n: number) => Uint8Array.from([0, 0, most && n, most]);
    const dataset = make({
      train: { images: images(own, 1), labels: [0] },
      test: { images: images(other, 0), labels: [0] },
    });
    const text = `the largest pixel of the training images is ${own}, of the test images ${other}: they look like two scales`;
    expect(findOddities(dataset).some((note) => note.text.startsWith(text))).toBe(isOdd);
  });

  it('are classes that one part lacks, for each part', () => {
    const train = part(upTo(2), [0, 1]);
    expect(textsOf({ train, test: part([10], [2]), validation: part([20], [0]) })).toEqual([
      'the validation set has no image of 1 class (1) of the training set',
      'the test set has 1 class (2) without a training image',
      'the test set has no image of 2 classes (0, 1) of the training set',
    ]);
  });
});
