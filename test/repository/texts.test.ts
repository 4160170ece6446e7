/** What is printed for people is made in one place: numbers without a sign at zero, and nouns with an s where one belongs. */
import { expect, it } from 'vitest';
import { isTest, readSources, stripComments } from '../../tools/rooms.mjs';

const TEXT_ROOM = 'packages/core/src/text/';
const sources = readSources()
  .filter(({ file }) => !isTest(file))
  .map(({ file, text }) => ({ file, code: stripComments(text) }));

/** What stands before such a noun and is no count of it, or is always many: a constant, a bigint, a height and a width. */
const NOT_COUNTED = [
  '_',
  'formatCount(test.',
  '{names',
  '{part}',
  '{name}',
  '{ending}',
  '{size}',
  '{maxBytes',
  '{length}',
  '{quantization',
  '{isa}',
  '{countOf',
];

/** Places that match, with what they are. */
const findAll = (pattern: RegExp, isAllowed: (match: RegExpMatchArray, file: string) => boolean): string[] =>
  sources.flatMap(({ file, code }) =>
    [...code.matchAll(pattern)].filter((match) => !isAllowed(match, file)).map(([text]) => `${file}: ${text}`),
  );

it('cases: work 31: digits behind the point are asked of `fixed`, unless a number is made of them again', () => {
  const lines = findAll(/^.*\.(?:toFixed|toLocaleString)\(.*$/gm, ([line]) => /Number\(|new Date\(/.test(line));
  // The second stands before the text room, and tells gigabytes.
  const rooms = [`${TEXT_ROOM}number-text.ts: `, 'packages/core/src/files/whole-file.ts: '];
  expect(lines.filter((line) => !rooms.some((room) => line.startsWith(room)))).toEqual([]);
});

it('a flag for a file that is written is declared as one, so that such a file may go to stdout', () => {
  const file = String.raw`\(\s*(['"])--[\w-]+ <(?:file|path)>\1,\s*(['"])\w+\2,\s*(['"])(?:write|draw|where to write)\b`;
  expect(findAll(new RegExp(`\\btext${file}`, 'g'), () => false)).toEqual([]);
  expect(findAll(new RegExp(`\\bwritten${file}`, 'g'), () => false).length).toBeGreaterThan(8);
});

it('cases: work 31: no other place decides between one and many', () => {
  const literal = /=== 1 \? (['`])([^'`]*)\1 : (['`])([^'`]*)\3/g;
  const isOfNouns = (one = '', many = ''): boolean =>
    [one, many].join() === 'is,are' || many.startsWith(`${one}s`) || /^1 \w+$/.test(one);
  expect(findAll(literal, ([, , one, , many]) => !isOfNouns(one, many))).toEqual([]);
});

it('cases: work 31: a noun that is counted somewhere is counted so everywhere', () => {
  const counted = findAll(/[cC]ountOf\([^'\n]*'(\w+)'(?:, '(\w+)')?\)/g, () => false).join('\n');
  const nouns = new Set([...counted.matchAll(/'(\w+)'(?:, '(\w+)')?\)/g)].map(([, one, many]) => many ?? `${one}s`));
  expect(nouns.size).toBeGreaterThan(20);
  const loose = new RegExp(`(?<!x)\\$\\{[^{}]*\\} (?:${[...nouns].join('|')})\\b(?!\\/)`, 'g');
  expect(findAll(loose, ([text]) => NOT_COUNTED.some((part) => text.includes(part)))).toEqual([]);
});
