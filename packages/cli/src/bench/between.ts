/** What is measured between two looks at something it is compared with: a machine that others use too changes its speed. */

/** A measurement, and what was read right before and after it. */
export interface Between<Measured, Read> {
  readonly before: Read;
  readonly measured: Measured;
  readonly after: Read;
}

/** Measures so many times; a reading between two measurements counts for both. */
export async function measureBetween<Measured, Read>(
  repetitions: number,
  measure: () => Promise<Measured>,
  read: () => Promise<Read>,
): Promise<Between<Measured, Read>[]> {
  const all: Between<Measured, Read>[] = [];
  let before = await read();
  for (let turn = 0; turn < repetitions; turn++) {
    const measured = await measure();
    const after = await read();
    all.push({ before, measured, after });
    before = after;
  }
  return all;
}
