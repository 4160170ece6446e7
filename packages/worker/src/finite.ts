/** Whether a vector of another node may be used: every float a number. */

/** Index of the first value that is not a finite number; -1 if there is none. */
export function findNotFinite(values: Float32Array): number {
  // x * 0 is 0, or NaN when x is not finite: one pass without a branch
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) * 0;
  return sum === 0 ? -1 : values.findIndex((value) => !Number.isFinite(value));
}
