import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferLayers } from '../model/layers.js';
import { findZooModel } from '../zoo/zoo.js';
import { planBuckets } from './buckets.js';
import { planContribution } from './contribution.js';

const layoutOf = (name: string) => planContribution(inferLayers(findZooModel(name).model));

describe('planBuckets', () => {
  it('covers every float once, and never cuts statistics', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('tiny6k', 'gap19k', 'net19k', 'lenet5'),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 200 }),
        (name, owners, units) => {
          const layout = layoutOf(name);
          const buckets = planBuckets(layout, [...Array(owners).keys()], 16 * units);
          const sorted = [...buckets].sort((a, b) => a.offset - b.offset);
          let at = 0;
          for (const { offset, length } of sorted) {
            expect(offset).toBe(at);
            expect(length % 16).toBe(0);
            expect(length).toBeGreaterThan(0);
            at = offset + length;
          }
          expect(at).toBe(layout.length);
          for (const { kind, offset, size } of layout.regions) {
            if (kind !== 'statistics') continue;
            expect(sorted.filter((bucket) => bucket.offset > offset && bucket.offset < offset + size)).toEqual([]);
          }
        },
      ),
    );
  });

  it('starts at the end, where backward finishes first', () => {
    const layout = layoutOf('lenet5');
    const [first] = planBuckets(layout, [0], 1024);
    expect(first).toEqual({ owner: 0, offset: layout.length - 1024, length: 1024 });
  });
});
