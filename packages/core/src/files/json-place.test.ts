import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findJsonPlace } from './json-place.js';

it('finds the line and column of a key, of an item, and of what is around what is not there', () => {
  const text =
    '{\n  "name": "a, } \\" b",\n  "layers": [\n    { "type": "conv" },\n    { "type": "relu", "p": [1, 2] }\n  ]\n}\n';
  expect(findJsonPlace(text, ['name'])).toEqual({ line: 2, column: 3 });
  expect(findJsonPlace(text, ['layers'])).toEqual({ line: 3, column: 3 });
  expect(findJsonPlace(text, ['layers', 1])).toEqual({ line: 5, column: 5 });
  expect(findJsonPlace(text, ['layers', 1, 'type'])).toEqual({ line: 5, column: 7 });
  expect(findJsonPlace(text, ['layers', 1, 'q'])).toEqual({ line: 5, column: 5 });
  expect(findJsonPlace(text, ['layers', 0, 'type', 'x'])).toEqual({ line: 4, column: 7 });
  expect(findJsonPlace(text, ['nothing'])).toEqual({ line: 1, column: 1 });
  expect(findJsonPlace('\uFEFF{"a":1,\n"a":2}', ['a'])).toEqual({ line: 2, column: 1 });
});

it('issue 25: finds what is behind a string of millions of letters', () => {
  const text = `{"a":\n"${'a\\n'.repeat(5_000_000)}",\n "b": 1}`;
  expect(findJsonPlace(text, ['b'])).toEqual({ line: 3, column: 2 });
});

it('finds every key of any JSON where it is written', () => {
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      tie('list'),
      tie('record'),
    ),
    list: fc.array(tie('tree'), { maxLength: 3 }),
    record: fc.dictionary(fc.string({ maxLength: 4 }), tie('tree'), { maxKeys: 3 }),
  }));
  const pathsOf = (value: unknown, path: readonly (string | number)[]): (readonly (string | number)[])[] => {
    if (Array.isArray(value)) return value.flatMap((item, i) => [[...path, i], ...pathsOf(item, [...path, i])]);
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, item]) => [[...path, key], ...pathsOf(item, [...path, key])]);
  };
  fc.assert(
    fc.property(tree, (value) => {
      const text = JSON.stringify(value, null, 2) ?? 'null';
      const lines = text.split('\n');
      const places = pathsOf(value, []).map((path) => {
        const { line, column } = findJsonPlace(text, path);
        const key = path.at(-1);
        if (typeof key === 'string')
          expect(lines[line - 1]?.slice(column - 1).startsWith(`${JSON.stringify(key)}: `)).toBe(true);
        return line;
      });
      // JSON.stringify writes each on a line of its own, in this order
      expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
    }),
  );
});
