import fc from 'fast-check';
import { it } from 'vitest';
import { checkOneRule } from './one-rule.ts';
import { openData } from './one-rule-data.ts';

/** One of each; one-rule.slow.test.ts has many. */
it.each(['table', 'rows', 'arrays', 'pictures'] as const)(
  'issue 23: a model answers alike to evaluate, predict, exports, library and nodes, as its training has read pixels: %s',
  async (form) => {
    await fc.assert(fc.asyncProperty(openData(form), checkOneRule), { numRuns: 1 });
  },
);
