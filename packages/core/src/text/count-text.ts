/** How counts are written for people. */

/**
 * 60000 as `60,000`.
 *
 * @param count a whole number; `toLocaleString` writes it the same, but its first use takes 25 ms
 */
export const formatCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/**
 * `1 step`, `0 steps`, `4690 steps`: the one place that knows when a word has an s.
 *
 * @param many the plural, where it is not `one` with an s
 */
export const countOf = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
