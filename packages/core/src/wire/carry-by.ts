/** Whether the floats of a link go another way, which both ends must say. */
import { LockstepError } from '../errors/errors.js';
import type { Carriers } from './carrier.js';
import type { Link } from './link.js';

/**
 * Lets the floats of a link go by MPI, if both ends say that they do.
 *
 * @throws LockstepError LOCKSTEP_NODE_TRANSPORT when only one does
 */
export function carryBy(link: Link, carriers: Carriers | undefined, rank: number | undefined): void {
  if (carriers && rank !== undefined) link.carry(carriers.to(rank));
  else if (carriers || rank !== undefined) {
    throw new LockstepError(
      'LOCKSTEP_NODE_TRANSPORT',
      `${carriers ? 'this side' : 'the other side'} sends floats over MPI, the other does not. Give --transport mpi to all processes or to none.`,
    );
  }
}
