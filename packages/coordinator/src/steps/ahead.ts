/**
 * The step after the one that is under way, of which the nodes are told before it is over: so they go on when they have
 * applied a step, and nobody waits for the way of a message. What it says may have become wrong by then; it is told anew.
 */

import type { ShardRange } from '@lockstep/core/run';
import { COORDINATOR_ID } from '@lockstep/core/seams';
import { type Assignment, isAmongNodes } from '@lockstep/core/wire';
import type { Membership } from '../members/membership.js';
import type { Accusation } from './doubts/accusations.js';
import type { ToldStep } from './told-steps.js';

/** What is decided about an attempt at a step. */
export interface Deal {
  readonly told: ToldStep;
  /** Partials of others that the keeper computes too, to compare. */
  readonly audits: readonly ShardRange[];
  /** Who was to be dealt shards. */
  readonly computing: readonly number[];
}

/** What was told of a step before its time, with what was found of it since. */
export interface DealAhead {
  readonly deal: Deal;
  readonly faults: readonly Accusation[];
}

/**
 * Whether nobody can end the step before the keeper has begun it, for lack of its sums. Else those who are ahead might
 * have left the state behind from which a step is still to be computed again.
 */
export const needsKeeper = ({ members, owners }: Assignment): boolean =>
  owners.includes(COORDINATOR_ID) || members.some(({ node }) => node === COORDINATOR_ID);

export class Ahead {
  #deal: Deal | undefined;
  #faults: Accusation[] = [];

  constructor(private readonly membership: Pick<Membership, 'nodes' | 'isMesh'>) {}

  /** The nodes have been told. */
  keep(deal: Deal): void {
    this.#deal = deal;
    this.#faults = [];
  }

  /** The step that is under way goes wrong, so what follows it is told anew. */
  drop(): void {
    this.#deal = undefined;
  }

  /** Keeps what a node that is ahead has found, until the step begins here; false when it is not about that step. */
  keepFault(accusation: Accusation): boolean {
    if (accusation.fault.generation !== this.#deal?.told.assignment.generation) return false;
    this.#faults.push(accusation);
    return true;
  }

  /** What was told of this step, with what was found since, if it is what would be told now. */
  take(step: number, computing: readonly number[], isLast: boolean): DealAhead | undefined {
    const deal = this.#deal;
    this.#deal = undefined;
    if (!deal || deal.told.assignment.step !== step || !isSame(deal.computing, computing)) return undefined;
    const { replicas, withHash } = deal.told.assignment;
    const isForAll = isSame(replicas, [COORDINATOR_ID, ...this.membership.nodes.keys()]);
    const isConnected = !isAmongNodes(deal.told.assignment) || this.membership.isMesh;
    return isForAll && isConnected && (withHash || !isLast) ? { deal, faults: this.#faults } : undefined;
  }
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);
