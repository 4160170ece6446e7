/** How counts are written for people. */

/**
 * 60000 as `60,000`.
 *
 * @param count a whole number; `toLocaleString` writes it the same, but its first use takes 25 ms
 */
export const formatCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/**
 * `1 step`, `0 steps`, `4690 steps`. Here alone is it known when a word has an s.
 *
 * @param many the plural, where it is not `one` with an s
 */
export const countOf = (count: number, one: string, many?: string): string => `${count} ${nounOf(count, one, many)}`;

/** The same with the count as `formatCount` writes it: `4,690 steps`. */
export const formatCountOf = (count: number, one: string, many?: string): string =>
  `${formatCount(count)} ${nounOf(count, one, many)}`;

/** The word alone, for a count that stands elsewhere: `line`, `lines`; also `is`, `are`. */
export const nounOf = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many);
