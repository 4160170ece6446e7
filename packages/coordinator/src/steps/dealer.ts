/** Decides who does what in an attempt at a step, and tells the nodes: before the step before it is over, where that is possible. */
import { COORDINATOR_ID } from '@lockstep/core/seams';
import type { Membership } from '../members/membership.js';
import { type Ahead, type Deal, type DealAhead, needsKeeper } from './ahead.js';
import { chooseAudits } from './doubts/audits.js';
import type { GoingBack } from './doubts/going-back.js';
import type { Shares } from './shares/shares.js';
import type { ToldSteps } from './told-steps.js';

export class Dealer {
  /**
   * @param audit share of the other nodes' shards that the keeper computes again
   * @param back knows whether it computes all of them in a step
   */
  constructor(
    private readonly shares: Shares,
    private readonly told: ToldSteps,
    private readonly ahead: Ahead,
    private readonly membership: Membership,
    private readonly audit: number,
    private readonly back: Pick<GoingBack, 'isWatched'>,
  ) {}

  /**
   * What everybody does in an attempt that begins now; the nodes have been told.
   *
   * @param isLast whether nothing follows the step
   */
  begin(step: number, computing: readonly number[], isLast: boolean): DealAhead {
    const ahead = this.ahead.take(step, computing, isLast);
    return ahead ?? { deal: this.#tell(this.#deal(step, computing, isLast)), faults: [] };
  }

  /** Tells the nodes of the step that follows. @returns what they were told; undefined where they must not know yet */
  foretell(step: number, computing: readonly number[], isLast: boolean): Deal | undefined {
    const deal = this.#deal(step, computing, isLast);
    if (!needsKeeper(deal.told.assignment)) return undefined;
    this.ahead.keep(this.#tell(deal, true));
    return deal;
  }

  #deal(step: number, computing: readonly number[], isLast: boolean): Deal {
    const dealt = this.shares.assign(step, computing, isLast);
    const isWatched = this.back.isWatched(step);
    const audits = chooseAudits(dealt, this.audit, isWatched);
    // only who owns every bucket has all that is to be compared; other ways would show which steps are not
    const assignment = this.audit > 0 || isWatched ? { ...dealt, owners: [COORDINATOR_ID], groups: [] } : dealt;
    return { told: this.told.note(assignment), audits, computing };
  }

  /** @param isAhead what it says is needed only after the sums of this step */
  #tell(deal: Deal, isAhead = false): Deal {
    const { assignment } = deal.told;
    // where leaders are in between, no sums go with it
    const isLater = isAhead && assignment.groups.length === 0;
    for (const { link } of this.membership.nodes.values()) {
      if (isLater) link.sendLater(assignment);
      else link.send(assignment);
    }
    return deal;
  }
}
