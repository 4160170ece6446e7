/** How values are spread, in the form that TensorBoard draws. */

/** TensorBoard's HistogramProto: bucket i counts values in (limit i - 1, limit i]; empty buckets at the ends are left out. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sum_squares: number;
  readonly bucket_limit: readonly number[];
  readonly bucket: readonly number[];
}

/** TensorFlow's own limits: 1e-12 growing by a tenth, mirrored around 0 (tensorflow/core/lib/histogram). */
const GROWTH = 1.1;
const SMALLEST = 1e-12;
const LARGEST = 1e20;

const limits = listLimits();

function listLimits(): Float64Array {
  const positive: number[] = [];
  for (let limit = SMALLEST; limit < LARGEST; limit *= GROWTH) positive.push(limit);
  positive.push(Number.MAX_VALUE);
  return Float64Array.from([...positive.map((limit) => -limit).reverse(), 0, ...positive]);
}

/** Counts the finite values; those that are not finite are left out. */
export function countHistogram(values: Float32Array): Histogram {
  const counts = new Float64Array(limits.length);
  let [min, max, num, sum, squares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    num += 1;
    sum += value;
    squares += value * value;
    const bucket = findBucket(value);
    counts[bucket] = (counts[bucket] as number) + 1;
  }
  if (num === 0) return { min: 0, max: 0, num: 0, sum: 0, sum_squares: 0, bucket_limit: [0], bucket: [0] };
  const first = Math.max(0, counts.findIndex((count) => count > 0) - 1);
  const end = counts.findLastIndex((count) => count > 0) + 1;
  const cut = (all: Float64Array): number[] => [...all.subarray(first, end)];
  return { min, max, num, sum, sum_squares: squares, bucket_limit: cut(limits), bucket: cut(counts) };
}

/** The first limit that is not below the value. */
function findBucket(value: number): number {
  let low = 0;
  let high = limits.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((limits[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
