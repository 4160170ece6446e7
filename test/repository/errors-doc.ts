/** Compares the codes of LockstepErrors in sources with the headings of docs/errors.md. */

/** A source: its path and its text. */
export interface CodeSource {
  readonly file: string;
  readonly text: string;
}

/**
 * The codes that a source has as string literals: not names of environment variables (`env['LOCKSTEP_X']`), not the
 * beginnings of codes (`startsWith('LOCKSTEP_X')`).
 */
export function readCodes(text: string): string[] {
  const literal = /(\w*\[|startsWith\()?(['"])(LOCKSTEP_[A-Z0-9_]+)\2/g;
  return [...text.matchAll(literal)]
    .filter(([, before]) => !isElsewhere(before ?? ''))
    .map((match) => match[3] as string);
}

/** An array of codes starts with a bare bracket; a variable is looked up in something with a name. */
const isElsewhere = (before: string): boolean => before === 'startsWith(' || /^\w+\[$/.test(before);

/** Codes that the second-level headings name, in their order. */
export const readHeadings = (text: string): string[] =>
  [...text.matchAll(/^## (.+)$/gm)].map((match) => match[1] as string);

/** One line for each code without a heading, heading without a code, and heading out of order. */
export function findGaps(sources: readonly CodeSource[], document: string): string[] {
  const headings = readHeadings(document);
  const places = new Map(sources.flatMap(({ file, text }) => readCodes(text).map((code) => [code, file] as const)));
  const unlisted = [...places].filter(([code]) => !headings.includes(code));
  const unused = headings.filter((heading) => !places.has(heading));
  const late = headings.filter((heading, i) => i > 0 && heading <= (headings[i - 1] as string));
  return [
    ...unlisted.map(([code, file]) => `${code} of ${file} has no heading`),
    ...unused.map((heading) => `no source has ${heading}`),
    ...late.map((heading) => `${heading} is twice or not in alphabetical order`),
  ];
}

/** Headings whose section lacks when, an example or what to do. */
export function findThinSections(document: string): string[] {
  return document
    .split(/^## /m)
    .slice(1)
    .filter((section) => !/When: /.test(section) || !/^ {4}\S/m.test(section) || !/What to do: /.test(section))
    .map((section) => section.split('\n')[0] as string);
}
