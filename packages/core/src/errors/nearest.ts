/** Finds what a person most likely meant to type. */

/**
 * The candidate with the fewest typing errors against `name`; the first of equals, undefined if there is no candidate.
 * Upper and lower case count as the same letter.
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const errorCount = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (errorCount < fewest) [nearest, fewest] = [candidate, errorCount];
  }
  return nearest;
}

/** Levenshtein's distance: the fewest insertions, deletions and replacements of a character that turn a into b. */
export function editDistance(a: string, b: string): number {
  // row[j] is the distance between the part of a read so far and the first j characters of b.
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, at(row, j) + 1, at(next, j - 1) + 1));
    }
    row = next;
  }
  return at(row, b.length);
}

const at = (row: readonly number[], index: number): number => row[index] as number;
