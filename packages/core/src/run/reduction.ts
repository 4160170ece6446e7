/**
 * The canonical reduction: contributions are added in one binary tree over the shard index, whoever holds them.
 *
 * The partial of [a, b) splits at a + the largest power of two smaller than b - a. So every partial that starts at a
 * multiple of its size, a power of two, is in the tree of every step that is long enough, and a contiguous range of shards
 * is the concatenation of at most 2 log2(n) such partials: whoever computed the range adds up those and passes them on.
 *
 *   shards  0 1 2 3 4 5        [0,6) = [0,4) + [4,6)
 *           +-+ +-+ +-+        worker 0 holds [0,3): [0,2) [2,3)
 *           +---+   |          worker 1 holds [3,6): [3,4) [4,6)
 *           +-------+
 *
 * A recipe may have gradients rounded to bf16: then they are rounded in every partial, after its addition in float32, a
 * shard's own included. So whoever passes a partial on passes on bf16, and nothing is lost on the way.
 */

import { assert } from '../errors/errors.js';
import { roundToBf16 } from '../math/bf16.js';
import type { Recipe } from '../spec/recipe.js';
import { type ContributionLayout, listGradients, type Span } from './contribution.js';
import type { ShardRange } from './shards.js';

/** Stack program over partials in shard order: push the next one, or add the two on top (lower + upper). */
export const foldStep = { push: 0, add: 1 } as const;

/** The partials that cover a range, in order: the largest that fit. */
export function canonicalPartials({ begin, end }: ShardRange): ShardRange[] {
  const partials: ShardRange[] = [];
  for (let at = begin; at < end; ) {
    let size = 1;
    while (at % (2 * size) === 0 && at + 2 * size <= end) size *= 2;
    partials.push({ begin: at, end: at + size });
    at += size;
  }
  return partials;
}

/** The most partials that any range of so many shards can have. */
export function maxCanonicalPartials(shards: number): number {
  let bits = 0;
  while (2 ** bits < shards) bits++;
  return Math.max(1, 2 * bits);
}

/**
 * How to add up partials that cover all shards of a step from 0, in shard order.
 *
 * @returns a stack program of `foldStep`s that leaves the sum alone on the stack
 */
export function planFold(partials: readonly ShardRange[]): number[] {
  const steps: number[] = [];
  const stack: { begin: number; size: number }[] = [];
  const addTop = (): void => {
    const upper = stack.pop();
    const lower = stack.at(-1);
    assert(upper && lower, () => 'a fold needs two partials on its stack');
    lower.size += upper.size;
    steps.push(foldStep.add);
  };
  let covered = 0;
  for (const { begin, end } of partials) {
    assert(begin === covered, () => `partial [${begin}, ${end}) does not follow shard ${covered}`);
    covered = end;
    stack.push({ begin, size: end - begin });
    steps.push(foldStep.push);
    for (;;) {
      const upper = stack.at(-1);
      const lower = stack.at(-2);
      if (!upper || !lower || lower.size !== upper.size || lower.begin % (2 * lower.size) !== 0) break;
      addTop();
    }
  }
  // What is left shrinks from left to right: the right spine of the tree.
  while (stack.length > 1) addTop();
  return steps;
}

/** What of a contribution a recipe has rounded to bf16 in every partial: its gradients, or nothing. */
export const listRounded = (layout: ContributionLayout, { gradientPrecision }: Recipe): Span[] =>
  gradientPrecision === 'bf16' ? listGradients(layout) : [];

/** Floats [begin, end) of a contribution, all of them rounded or none. */
export interface RoundedPart extends Span {
  readonly isRounded: boolean;
}

/** Cuts floats [offset, offset + length) of a contribution where what is rounded begins and ends. */
export function splitRounded(offset: number, length: number, rounded: readonly Span[]): RoundedPart[] {
  const parts: RoundedPart[] = [];
  const end = offset + length;
  let at = offset;
  const take = (to: number, isRounded: boolean): void => {
    if (to > at) parts.push({ begin: at, end: to, isRounded });
    at = Math.max(at, to);
  };
  for (const span of rounded) {
    take(Math.min(span.begin, end), false);
    take(Math.min(span.end, end), true);
  }
  take(end, false);
  return parts;
}

/** Rounds a partial, in place. */
export function roundPartial(partial: Float32Array, rounded: readonly Span[]): void {
  for (const { begin, end } of rounded) roundToBf16(partial.subarray(begin, end));
}

/**
 * The reduction by its definition, in float32: the reference that every faster way must equal to the bit.
 *
 * @param rounded floats that are rounded to bf16 in every partial
 */
export function reduceCanonically(contributions: readonly Float32Array[], rounded: readonly Span[] = []): Float32Array {
  const sum = addHalves(contributions, rounded);
  roundPartial(sum, rounded);
  return sum;
}

function addHalves(contributions: readonly Float32Array[], rounded: readonly Span[]): Float32Array {
  const first = contributions[0];
  assert(first, () => 'nothing to reduce');
  if (contributions.length === 1) return first.slice();
  let left = 1;
  while (2 * left < contributions.length) left *= 2;
  const sum = reduceCanonically(contributions.slice(0, left), rounded);
  const right = reduceCanonically(contributions.slice(left), rounded);
  for (let i = 0; i < sum.length; i++) sum[i] = Math.fround((sum[i] as number) + (right[i] as number));
  return sum;
}
