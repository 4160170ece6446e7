/** Which shards the coordinator computes a second time, to compare. */

import { canonicalPartials, type ShardRange } from '@lockstep/core/run';
import { COORDINATOR_ID } from '@lockstep/core/seams';
import type { Assignment } from '@lockstep/core/wire';

/** LOCKSTEP_AUDIT_FROM=step, for tests: nothing is computed twice before it. */
const FIRST_STEP = Number.parseInt(process.env['LOCKSTEP_AUDIT_FROM'] ?? '0', 10);

/**
 * Partials of the other nodes' ranges, each with this probability: at 1 all of them in every step. Drawn by chance, so that
 * nobody can know; the result of a run does not depend on it.
 *
 * @param isWatched whether all are, whatever the share
 */
export function chooseAudits({ members, step }: Assignment, share: number, isWatched = false): ShardRange[] {
  if (!isWatched && (share <= 0 || step < FIRST_STEP)) return [];
  const others = members.filter(({ node }) => node !== COORDINATOR_ID);
  return others.flatMap(({ range }) => canonicalPartials(range)).filter(() => isWatched || randomFraction() < share);
}

/** From [0, 1). */
const randomFraction = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] as number) / 2 ** 32;
