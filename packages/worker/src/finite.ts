/** Whether a vector of another node may be used: every float a number. */

/** Index of the first value that is not a finite number; -1 if there is none. */
export function findNotFinite(values: Float32Array): number {
  // x * 0 is 0, or NaN when x is not finite: one pass without a branch, in four chains that need not wait for each other
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    a += (values[i] as number) * 0;
    b += (values[i + 1] as number) * 0;
    c += (values[i + 2] as number) * 0;
    d += (values[i + 3] as number) * 0;
  }
  for (let i = whole; i < values.length; i++) a += (values[i] as number) * 0;
  return a + b + c + d === 0 ? -1 : values.findIndex((value) => !Number.isFinite(value));
}
