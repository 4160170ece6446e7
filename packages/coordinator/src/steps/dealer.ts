/** Decides who does what in an attempt at a step, and tells the nodes. */
import { COORDINATOR_ID } from '@lockstep/core/seams';
import type { Membership } from '../members/membership.js';
import type { Deal } from './ahead.js';
import { chooseAudits } from './audits.js';
import type { GoingBack } from './going-back.js';
import type { Shares } from './shares.js';
import type { ToldSteps } from './told-steps.js';

export class Dealer {
  /**
   * @param audit share of the other nodes' shards that the keeper computes again
   * @param back knows whether it computes all of them in a step
   */
  constructor(
    private readonly shares: Shares,
    private readonly told: ToldSteps,
    private readonly membership: Membership,
    private readonly audit: number,
    private readonly back: Pick<GoingBack, 'isWatched'>,
  ) {}

  /** @param isLast whether nothing follows the step */
  deal(step: number, computing: readonly number[], isLast: boolean): Deal {
    const dealt = this.shares.assign(step, computing, isLast);
    const isWatched = this.back.isWatched(step);
    const audits = chooseAudits(dealt, this.audit, isWatched);
    // only who owns every bucket has all that is to be compared; other ways would show which steps are not
    const assignment = this.audit > 0 || isWatched ? { ...dealt, owners: [COORDINATOR_ID], groups: [] } : dealt;
    return { told: this.told.note(assignment), audits, computing };
  }

  /** @param isAhead what it says is needed only after the sums of this step */
  tell(deal: Deal, isAhead = false): Deal {
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
