import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createArrayDataset } from '../array-dataset.js';
import { mapClasses } from './class-names.js';

/** Images of one pixel each, which is the number of their class in `all`. */
const all = ['ant', 'bee', 'cat', 'dog', 'eel'];
function make(names: readonly string[], labels: readonly number[]) {
  const split = { images: Uint8Array.from(labels, (label) => all.indexOf(names[label] as string)), labels };
  return createArrayDataset({
    ...{ channels: 1, height: 1, width: 1, classes: names.length, classNames: names },
    ...{ train: split, test: split },
  });
}

describe('the classes of a model', () => {
  it('are found by name in data of any order and any of them', () => {
    const shuffled = fc.shuffledSubarray(all, { minLength: 1 });
    fc.assert(
      fc.property(
        shuffled,
        fc.shuffledSubarray(all, { minLength: all.length }),
        fc.array(fc.nat(), { minLength: 1 }),
        (own, known, picks) => {
          const dataset = make(
            own,
            picks.map((pick) => pick % own.length),
          );
          const mapped = mapClasses(dataset, known);
          expect([...mapped.train.labels].map((label) => all.indexOf(known[label] as string))).toEqual([
            ...dataset.train.images,
          ]);
          expect([mapped.classes, mapped.classNames]).toEqual([5, known]);
        },
      ),
    );
  });

  it('are not given to data without names, nor by a model without them', () => {
    const dataset = make(['bee', 'ant'], [0, 1]);
    expect(mapClasses(dataset, ['0', '1'])).toBe(dataset);
    const { classNames: _, ...unnamed } = dataset;
    expect(mapClasses(unnamed, all)).toBe(unnamed);
  });

  it('do not take a class that they lack', () => {
    expect(() => mapClasses(make(['bee', 'dog'], [0, 1]), ['ant', 'bee'])).toThrow(
      'LOCKSTEP_DATA_CLASSES: 2 + 2 images from arrays has the class dog, which the model does not know: it knows ant, bee.',
    );
    expect([...mapClasses(make(['bee', 'dog'], [0, 0]), ['ant', 'bee']).test.labels]).toEqual([1, 1]);
  });
});
