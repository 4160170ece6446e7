import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, readJson } from './json-text.js';

describe('parseJson', () => {
  it('gives the value, with or without a byte order mark', () => {
    expect(parseJson('{"a": [1, null]}')).toEqual({ value: { a: [1, null] } });
    expect(parseJson('\uFEFF[true]')).toEqual({ value: [true] });
  });

  it.each([
    ['', 1, 1, 'expected a value but found the end of the file'],
    ['{\n  "a": 1,\n}', 3, 1, 'expected a name in double quotes but found "}"'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'expected "," or "}" but found "\\""'],
    ['{"a" 1}', 1, 6, 'expected ":" but found "1"'],
    ['[1, 2', 1, 6, 'expected "," or "]" but found the end of the file'],
    ['[1, 2]\n x', 2, 2, 'expected the end of the file but found "x"'],
    ["{'a': 1}", 1, 2, 'expected a name in double quotes but found "\'"'],
    ['[01]', 1, 2, 'expected a value but found "01"'],
    ['[nil]', 1, 2, 'expected a value but found "nil"'],
    ['["a\tb"]', 1, 2, 'expected a value but found "\\""'],
    ['[1,]', 1, 4, 'expected a value but found "]"'],
  ])('finds line and column of the fault in %j', (text, line, column, fault) => {
    expect(parseJson(text)).toEqual({ fault: { line, column, text: fault } });
  });

  it('finds a fault in every valid text with one character cut off its end', () => {
    const container = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(container, (value) => {
        const parsed = parseJson(JSON.stringify(value, null, 1).slice(0, -1));
        expect(parsed).toMatchObject({ fault: { text: expect.stringContaining('but found the end of the file') } });
      }),
    );
  });
});

it.each([
  ['whole', (depth: number) => '['.repeat(depth) + ']'.repeat(depth)],
  ['cut', (depth: number) => '{"a":'.repeat(depth)],
])('cases: peers 19: says where values are nested too deeply, in a text that is %s', (_, nest) => {
  expect(parseJson(nest(100_000))).toMatchObject({
    fault: { line: 1, text: 'more than 200 values inside each other' },
  });
  expect('fault' in parseJson(`"${'['.repeat(1000)}"`)).toBe(false);
});

it('reads what is nested as deeply as is allowed', () => {
  expect('value' in parseJson('['.repeat(200) + ']'.repeat(200))).toBe(true);
});

it.each([
  ['is not closed', `["${'a'.repeat(20_000_000)}`, 'expected a value but found "\\""'],
  ['is in a list that is not closed', `["${'\\n'.repeat(10_000_000)}"`, 'expected "," or "]" but found the end'],
])('issue 25: finds the fault where a string of millions of letters %s', (_, text, fault) => {
  expect(parseJson(text)).toMatchObject({ fault: { text: expect.stringContaining(fault) } });
});

it('issue 25: reads no more values than any of our files has by far, since each takes more than its text', () => {
  const listOf = (count: number): string => `[${'[],'.repeat(count - 1)}[]]`;
  expect(parseJson(listOf(3_000_000))).toMatchObject({ fault: { line: 1, text: 'more than 4000000 values' } });
  expect(readJson('[1')).toBeUndefined();
  expect(readJson('[1]')).toEqual([1]);
});
