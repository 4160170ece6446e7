import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDataset } from './dataset.js';
import { holdOutValidation, planHeldOut } from './hold-out.js';
import { makeDataset } from './test-dataset.js';

describe('holdOutValidation', () => {
  it('cuts training images of mixed classes into two views of the same memory, wherever it cuts', () => {
    const cut = fc
      .integer({ min: 2, max: 50 })
      .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n - 1 })));
    fc.assert(
      fc.property(cut, ([trainCount, count]) => {
        const before = makeDataset(trainCount);
        const { train, validation, test } = holdOutValidation(before, count);
        expect([train.count, validation.count]).toEqual([trainCount - count, count]);
        expect(Buffer.concat([train.images, validation.images])).toEqual(Buffer.from(before.train.images));
        expect(Buffer.concat([train.labels, validation.labels])).toEqual(Buffer.from(before.train.labels));
        expect(validation.images.buffer).toBe(before.train.images.buffer);
        expect(test).toBe(before.test);
      }),
    );
  });

  it('leaves the dataset as it is for 0', () => {
    const dataset = makeDataset(3);
    expect(holdOutValidation(dataset, 0)).toBe(dataset);
  });

  it.each([3, 4, -1, 1.5, Number.NaN])('refuses to hold out %d of 3 images', (count) => {
    expect(() => holdOutValidation(makeDataset(3), count)).toThrow(
      `LOCKSTEP_DATA_VALIDATION: cannot hold out ${count} of 3 training images for validation. Choose 0 to 2.`,
    );
  });

  it('refuses to hold out twice', () => {
    const once = holdOutValidation(makeDataset(5), 2);
    expect(() => holdOutValidation(once, 1)).toThrow('2 images are already held out');
  });

  const labelled = (...labels: number[]) => {
    const dataset = makeDataset(labels.length);
    dataset.train.labels.set(labels);
    const { checksum: _, ...parts } = dataset;
    return createDataset(parts);
  };

  it.each([
    ['sorted', [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], 3, [3, 7, 11]],
    ['sorted, fewer than classes', [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], 2, [3, 7]],
    ['a last class that is rare', [0, 1, 0, 1, 0, 1, 0, 1, 2, 2], 3, [6, 7, 9]],
  ])(
    'cases: data 12: takes the last of each class where the tail lacks some, and tells it: %s',
    (_, labels, count, places) => {
      const dataset = labelled(...labels);
      const { train, validation, notes } = holdOutValidation(dataset, count);
      expect([...validation.labels]).toEqual(places.map((place) => labels[place]));
      expect(Buffer.from(validation.images)).toEqual(
        Buffer.concat(places.map((place) => dataset.train.images.subarray(6 * place, 6 * place + 6))),
      );
      expect([train.count, [...train.labels]]).toEqual([
        labels.length - count,
        labels.filter((_, place) => !places.includes(place)),
      ]);
      expect(notes?.at(-1)?.text).toMatch(
        new RegExp(
          `^the last ${count} training images are of ${new Set(labels.slice(-count)).size} class(es)?: the last of each class are held out for validation instead, of ${new Set(validation.labels).size}$`,
        ),
      );
    },
  );

  it('cases: data 12: takes the tail, and says nothing, where it has all classes, or as many as there can be', () => {
    for (const [labels, count] of [
      [[0, 0, 1, 2, 1, 0, 2, 1], 3],
      [[0, 0, 0, 0, 1], 1],
    ] as const) {
      const dataset = labelled(...labels);
      const { validation, notes } = holdOutValidation(dataset, count);
      expect([[...validation.labels], notes]).toEqual([labels.slice(-count), undefined]);
      expect(validation.images.buffer).toBe(dataset.train.images.buffer);
    }
  });
});

describe('planHeldOut', () => {
  it('holds out as many as wanted, of each class its last and nearly its share, and leaves every class one if it can', () => {
    const drawn = fc
      .array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 60 })
      .chain((labels) => fc.tuple(fc.constant(labels), fc.integer({ min: 1, max: labels.length - 1 })));
    fc.assert(
      fc.property(drawn, ([labels, count]) => {
        const held = planHeldOut(Uint8Array.from(labels), count);
        expect(held.size).toBe(count);
        const classes = [...new Set(labels)];
        for (const own of classes) {
          const places = labels.flatMap((label, place) => (label === own ? [place] : []));
          const flags = places.map((place) => held.has(place));
          expect(flags).toEqual([...flags].sort((a, b) => Number(a) - Number(b)));
          const heldOfOwn = flags.filter(Boolean).length;
          if (count <= labels.length - classes.length) expect(heldOfOwn).toBeLessThan(places.length);
          expect(heldOfOwn).toBeGreaterThanOrEqual(
            Math.min(places.length - 1, Math.floor((places.length * count) / labels.length)),
          );
        }
      }),
    );
  });
});
