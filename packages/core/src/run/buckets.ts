/**
 * How a contribution is cut to travel: into one slice per owner (who finishes the reduction of it), each slice into
 * buckets (what travels as one frame), in the order that backward finishes them: from the end.
 */

import { assert } from '../errors/errors.js';
import { ALIGNMENT, align, type ContributionLayout } from './contribution.js';

/** Floats of a bucket at most: what travels as one frame. */
export const BUCKET_FLOATS = 2 ** 18;

/** The same, or fewer for tests: LOCKSTEP_BUCKET_FLOATS, which every node of a run must be given. */
export const readBucketFloats = (env: Readonly<Record<string, string | undefined>>): number =>
  Math.min(BUCKET_FLOATS, Number(env['LOCKSTEP_BUCKET_FLOATS'] ?? BUCKET_FLOATS));

/** Floats [offset, offset + length) of the layout. */
export interface Bucket {
  readonly owner: number;
  readonly offset: number;
  readonly length: number;
}

/** Cuts a layout for some owners. Statistics are never cut, since their three parts are worked on together. */
export function planBuckets(
  layout: ContributionLayout,
  owners: readonly number[],
  bucketFloats: number = BUCKET_FLOATS,
): Bucket[] {
  const slices = owners.map((owner, index) => {
    const begin = cutAt(layout, (layout.length * index) / owners.length);
    const end = cutAt(layout, (layout.length * (index + 1)) / owners.length);
    return cutSlice(layout, owner, begin, end, bucketFloats);
  });
  // Round robin, so that every owner has work from the start.
  const most = Math.max(...slices.map((slice) => slice.length));
  return Array.from({ length: most }, (_, turn) => slices.flatMap((slice) => slice[turn] ?? [])).flat();
}

function cutSlice(layout: ContributionLayout, owner: number, begin: number, end: number, most: number): Bucket[] {
  const buckets: Bucket[] = [];
  for (let top = end; top > begin; ) {
    const cut = top - begin <= most ? begin : cutAt(layout, top - most);
    const bottom = cut < top ? Math.max(begin, cut) : Math.max(begin, statisticsBegin(layout, top - ALIGNMENT));
    assert(bottom < top, () => `a bucket [${bottom}, ${top}) is empty`);
    buckets.push({ owner, offset: bottom, length: top - bottom });
    top = bottom;
  }
  return buckets;
}

/** The next place from here where a cut may be. */
function cutAt(layout: ContributionLayout, at: number): number {
  const aligned = Math.min(layout.length, align(at));
  for (const region of layout.regions) {
    const end = region.offset + align(region.size);
    if (region.kind === 'statistics' && aligned > region.offset && aligned < end) return end;
  }
  return aligned;
}

/** Where the statistics start that hold this float; itself when none do. */
function statisticsBegin(layout: ContributionLayout, at: number): number {
  const region = layout.regions.find(
    (s) => s.kind === 'statistics' && at >= s.offset && at < s.offset + s.size + ALIGNMENT,
  );
  return region?.offset ?? at;
}
