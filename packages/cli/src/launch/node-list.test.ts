import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandNodeList } from './node-list.js';

describe('expandNodeList', () => {
  it.each([
    ['n1', 'n1'],
    ['n[1-3,7],m05', 'n1 n2 n3 n7 m05'],
    ['n[08-11]', 'n08 n09 n10 n11'],
    ['n[001,007-010]', 'n001 n007 n008 n009 n010'],
    ['n[9-010]', 'n9 n10'],
    ['n[099-101]', 'n099 n100 n101'],
    ['rack[0-1]n[1-2]', 'rack0n1 rack0n2 rack1n1 rack1n2'],
    ['n[1-2][3-4]', 'n13 n14 n23 n24'],
    ['1.2.3.[089,100-101]', '1.2.3.089 1.2.3.100 1.2.3.101'],
    ['[1-2]', '1 2'],
    ['n[1-2],n[1-2]', 'n1 n2 n1 n2'],
    ['n1 n2,,m,', 'n1 n2 m'],
    ['gpu-a.cluster,gpu-b.cluster', 'gpu-a.cluster gpu-b.cluster'],
  ])('reads %s', (list, names) => {
    expect(expandNodeList(list)).toEqual(names.split(' '));
  });

  it.each([
    ['', 'has no name'],
    [',', 'has no name'],
    ['n[1-3', 'has a bracket that is not closed'],
    ['n]', 'has a bracket that is not closed'],
    ['n[]', 'has "" where a range'],
    ['n[1,]', 'has "" where a range'],
    ['n[a-c]', 'has "a-c" where a range'],
    ['n[1--3]', 'has "1--3" where a range'],
    ['n[3-1]', 'ends before it begins'],
    ['n[1-99999999]', 'more than 65536'],
    ['n[1-60000][1-60000]', 'more than 65536'],
    ['n[1-60000],m[1-60000]', 'more than 65536'],
  ])('refuses %j', (list, reason) => {
    expect(() => expandNodeList(list)).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_LAUNCH_NODES', message: expect.stringContaining(reason) }),
    );
  });

  it('equals a slow expander that counts up one by one, for any list', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 4 }), (entries) => {
        const list = entries.map(writeEntry).join(',');
        expect(expandNodeList(list)).toEqual(entries.flatMap(expandSlowly));
      }),
    );
  });

  it('either reads a text or refuses it with its code, whatever it is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[n0-3[\],\- x]{0,12}$/), (list) => {
        try {
          expect(expandNodeList(list).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'LOCKSTEP_LAUNCH_NODES' });
        }
      }),
    );
  });
});

interface Range {
  readonly first: number;
  readonly length: number;
  readonly width: number;
}
type Part = string | readonly Range[];

const range: fc.Arbitrary<Range> = fc.record({
  first: fc.nat(120),
  length: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 5 }),
});
const entry: fc.Arbitrary<readonly Part[]> = fc
  .tuple(
    fc.stringMatching(/^[a-z][a-z.-]{0,3}$/),
    fc.array(fc.tuple(fc.array(range, { minLength: 1, maxLength: 3 }), fc.stringMatching(/^[a-z-]{0,2}$/)), {
      maxLength: 2,
    }),
  )
  .map(([prefix, groups]) => [prefix, ...groups.flat()]);

const pad = (value: number, width: number): string => {
  let text = String(value);
  while (text.length < width) text = `0${text}`;
  return text;
};
const writeRange = ({ first, length, width }: Range): string =>
  length === 1 ? pad(first, width) : `${pad(first, width)}-${pad(first + length - 1, width)}`;
const writeEntry = (parts: readonly Part[]): string =>
  parts.map((part) => (typeof part === 'string' ? part : `[${part.map(writeRange).join(',')}]`)).join('');

function expandSlowly([part, ...rest]: readonly Part[]): string[] {
  if (part === undefined) return [''];
  const tails = expandSlowly(rest);
  const starts: string[] = [];
  if (typeof part === 'string') starts.push(part);
  else for (const one of part) for (let n = one.first; n < one.first + one.length; n++) starts.push(pad(n, one.width));
  const names: string[] = [];
  for (const start of starts) for (const tail of tails) names.push(start + tail);
  return names;
}
