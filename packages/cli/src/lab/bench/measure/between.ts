/** What is measured between two looks at something it is compared with: a machine that others use too changes its speed. */

/** A measurement, and what was read right before and after it. */
export interface Between<Measured, Read> {
  readonly before: Read;
  readonly measured: Measured;
  readonly after: Read;
}

/**
 * Measures so many times, or until there are enough; a reading between two measurements counts for both.
 *
 * @param count a number, or whether these are enough
 */
export async function measureBetween<Measured, Read>(
  count: number | ((sofar: readonly Between<Measured, Read>[]) => boolean),
  measure: () => Promise<Measured>,
  read: () => Promise<Read>,
): Promise<Between<Measured, Read>[]> {
  const all: Between<Measured, Read>[] = [];
  let before = await read();
  const isEnough = typeof count === 'number' ? (): boolean => all.length >= count : count;
  while (!isEnough(all)) {
    const measured = await measure();
    const after = await read();
    all.push({ before, measured, after });
    before = after;
  }
  return all;
}
