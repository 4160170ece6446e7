/** What is said of repeated measurements. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] as number;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Chance that a median's interval holds it. */
const CONFIDENCE = 0.9;

/**
 * Between which of the values the median of all that could be measured lies, with a chance of nine in ten if there are five
 * values or more, whatever their distribution: of n values so many are below it as n coins show heads. All of fewer.
 */
export function intervalOfMedian(values: readonly number[]): { readonly low: number; readonly high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  let outside = 0;
  // of the chance of exactly `cut` heads among n coins, which of thousands is too small for a number
  let logarithm = -n * Math.LN2;
  let cut = 0;
  while (2 * (outside + Math.exp(logarithm)) <= 1 - CONFIDENCE) {
    outside += Math.exp(logarithm);
    logarithm += Math.log((n - cut) / (cut + 1));
    cut += 1;
  }
  const first = Math.max(0, cut - 1);
  return { low: sorted[first] ?? Number.NaN, high: sorted[n - 1 - first] ?? Number.NaN };
}

/** But no longer than for so many times as many as are asked for. */
const MOST_TIMES = 4;

/** Whether there are so many values, and their median is known to within an error, or there are so many that it never will. */
export function isSettled(values: readonly number[], least: number, error: number): boolean {
  if (values.length < least) return false;
  const { low, high } = intervalOfMedian(values);
  return high - low <= 2 * error || values.length >= MOST_TIMES * least;
}

export const summarizeValues = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});
