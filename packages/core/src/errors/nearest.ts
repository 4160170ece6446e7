/** Finds what a person most likely meant to type. */
import { fold, insteadOf, ourNameOf } from './other-words.js';

/** A shorter one is the start of too many. */
const SHORTEST_PREFIX = 2;

/**
 * The candidate that is the same but for case, hyphens and underscores; else what another tool calls by this name; else
 * the first that starts with it; else the one with the fewest typing errors, up to one in three letters, the first of
 * equals. Undefined when there is none of these.
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const typed = fold(name);
  const find = (accept: (folded: string) => boolean) => candidates.find((candidate) => accept(fold(candidate)));
  const same = find((folded) => folded === typed || folded === ourNameOf(name));
  if (same !== undefined || typed.length < SHORTEST_PREFIX) return same;
  return find((folded) => folded.startsWith(typed)) ?? fewestErrors(typed, candidates);
}

function fewestErrors(typed: string, candidates: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewest = Math.floor(typed.length / 3) + 1;
  for (const candidate of candidates) {
    const errorCount = editDistance(typed, fold(candidate));
    if (errorCount < fewest) [nearest, fewest] = [candidate, errorCount];
  }
  return nearest;
}

/** `. Did you mean lenet5?`, to stand behind what is wrong; empty when nothing is near. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? '' : `. Did you mean ${nearest}?`;
}

/** The same of an option: of another tool's it says what is used here instead, or why there is none. */
export function suggestOption(name: string, candidates: readonly string[]): string {
  const instead = insteadOf(name);
  const isOurs = candidates.some((candidate) => fold(candidate) === ourNameOf(name));
  return instead === undefined || isOurs ? didYouMean(name, candidates) : `: ${instead}`;
}

/**
 * The fewest typing errors that turn a into b: a character too many, missing, another, or two neighbours exchanged (no
 * part is changed twice: the optimal string alignment).
 */
export function editDistance(a: string, b: string): number {
  // row[j] is the distance between the part of a read so far and the first j characters of b.
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const exchanged = isExchanged ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, exchanged, at(row, j) + 1, at(next, j - 1) + 1));
    }
    [before, row] = [row, next];
  }
  return at(row, b.length);
}

const at = (row: readonly number[], index: number): number => row[index] as number;
