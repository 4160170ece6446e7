import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countOf, formatCountOf, nounOf } from './count-text.js';
import { fixed, formatDuration, formatLoss, formatPercent, formatRate, formatScore } from './number-text.js';

it.each([
  [0, '0.0 s'],
  [14.94, '14.9 s'],
  [59.94, '59.9 s'],
  [59.96, '1 min 0 s'],
  [75.4, '1 min 15 s'],
  [3599.7, '1 h 0 min'],
  [3725, '1 h 2 min'],
])('writes %d seconds for people', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

it('writes fractions as percent with two digits, and a score with both its counts', () => {
  expect(formatPercent(0.981)).toBe('98.10');
  expect(formatPercent(1)).toBe('100.00');
  expect(formatScore({ correct: 9810, total: 10_000, accuracy: 0.981 })).toBe('9810/10000 (98.10%)');
});

it('writes learning rates with up to four digits, and losses that are no numbers as they are', () => {
  expect([0.025, 4.0123e-7].map(formatRate)).toEqual(['0.025', '4.012e-7']);
  expect([0.12566, Number.NaN, undefined].map(formatLoss)).toEqual(['0.1257', 'NaN', '–']);
});

it('cases: work 31: what is rounded to zero has no sign', () => {
  expect([-0.0004, -0, 0.0004, -0.06, -1].map((value) => fixed(value, 1))).toEqual([
    '0.0',
    '0.0',
    '0.0',
    '-0.1',
    '-1.0',
  ]);
  expect([formatPercent(-1e-9), formatDuration(-1e-9)]).toEqual(['0.00', '0.0 s']);
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -2, max: 2 }), fc.nat(4), (value, digits) => {
      const text = fixed(value, digits);
      expect(text.startsWith('-')).toBe(Number(text) < 0);
    }),
  );
});

it('cases: work 31: one of a thing has no s, any other number has', () => {
  expect([0, 1, 2].map((count) => countOf(count, 'step'))).toEqual(['0 steps', '1 step', '2 steps']);
  expect([1, 3].map((count) => countOf(count, 'branch', 'branches'))).toEqual(['1 branch', '3 branches']);
  expect(formatCountOf(4690, 'step')).toBe('4,690 steps');
  expect([1, 2].map((count) => nounOf(count, 'is', 'are'))).toEqual(['is', 'are']);
  fc.assert(fc.property(fc.nat(), (count) => countOf(count, 'step').endsWith('s') === (count !== 1)));
});
