import type { Assignment } from '@lockstep/core/wire';
import { expect, it } from 'vitest';
import { chooseAudits } from './audits.js';

const members = [
  { node: 0, range: { begin: 0, end: 4 } },
  { node: 1, range: { begin: 4, end: 11 } },
  { node: 2, range: { begin: 11, end: 12 } },
];
const assignment = { members, step: 0 } as unknown as Assignment;
const shards = (share: number): number =>
  chooseAudits(assignment, share).reduce((sum, { begin, end }) => sum + end - begin, 0);

it('cases: peers 5: with --audit 1 all shards of the other nodes are computed twice in every step', () => {
  for (let step = 0; step < 100; step++) expect(shards(1)).toBe(8);
});

it('computes the given share of them twice, over many steps', () => {
  const STEPS = 20_000;
  const sum = Array.from({ length: STEPS }, () => shards(0.25)).reduce((total, one) => total + one, 0);
  expect(sum / STEPS).toBeGreaterThan(1.8);
  expect(sum / STEPS).toBeLessThan(2.2);
});

it('computes nothing twice without --audit', () => expect(shards(0)).toBe(0));
