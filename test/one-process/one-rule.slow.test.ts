import fc from 'fast-check';
import { it } from 'vitest';
import { checkOneRule } from './one-rule.ts';
import { openData } from './one-rule-data.ts';

const RUNS = 80;

it('issue 23: models answer alike to evaluate, predict, exports, library and nodes, as their training has read pixels', async () => {
  await fc.assert(fc.asyncProperty(openData(), checkOneRule), { numRuns: RUNS });
}, 1_800_000);
