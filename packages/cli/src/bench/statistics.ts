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

/** The value below which so large a share of all lies, between two values in proportion. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return below + (at % 1) * (above - below);
}

/**
 * How far the median of such values is off, by one standard error, if they are spread like a normal distribution: their
 * middle half is 1.35 standard deviations wide, and a median's error is 1.25 times a mean's. 0 of one value.
 */
export function errorOfMedian(values: readonly number[]): number {
  const deviation = (quantile(values, 0.75) - quantile(values, 0.25)) / 1.349;
  return (Math.sqrt(Math.PI / 2) * deviation) / Math.sqrt(values.length);
}

/** But no longer than for so many times as many as are asked for. */
const MOST_TIMES = 4;

/** Whether there are so many values, and their median is known to within an error (one standard error) or never will be. */
export const isSettled = (values: readonly number[], least: number, error: number): boolean =>
  values.length >= least && (errorOfMedian(values) <= error || values.length >= MOST_TIMES * least);

export const summarizeValues = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});
