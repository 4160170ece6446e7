/** Which shards the coordinator computes a second time, to compare. */

import { canonicalPartials, type ShardRange } from '@lockstep/core/run';
import { COORDINATOR_ID } from '@lockstep/core/seams';
import type { Assignment } from '@lockstep/core/wire';

/** LOCKSTEP_AUDIT_FROM=step, for tests: nothing is computed twice before it. */
const FIRST_STEP = Number.parseInt(process.env['LOCKSTEP_AUDIT_FROM'] ?? '0', 10);

/**
 * One partial of another node's range, or none, so that over the steps the given share of the others' shards is
 * computed twice. Drawn by chance, so that nobody can know; the result of a run does not depend on it.
 */
export function chooseAudits({ members, step }: Assignment, share: number): ShardRange[] {
  if (share <= 0 || step < FIRST_STEP) return [];
  const nodes = members.filter(({ node }) => node !== COORDINATOR_ID).flatMap(({ range }) => canonicalPartials(range));
  const chosen = nodes[Math.floor(randomFraction() * nodes.length)];
  if (!chosen) return [];
  const shards = nodes.reduce((sum, { begin, end }) => sum + end - begin, 0);
  const mean = shards / nodes.length;
  return randomFraction() < (share * shards) / mean ? [chosen] : [];
}

const randomFraction = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] as number) / 2 ** 32;
