/** Who computes how many shards: makes the assignment of each attempt, and tells people when shares change. */

import type { NodeEvent, NodeShare } from '@lockstep/core/events';
import { inferLayers } from '@lockstep/core/model';
import {
  planContribution,
  readBucketFloats,
  type ShardRange,
  samplesInStep,
  shardCount,
  stepsPerEpoch,
} from '@lockstep/core/run';
import { COORDINATOR_ID } from '@lockstep/core/seams';
import type { Assignment } from '@lockstep/core/wire';
import type { AdmissionTerms } from '../../members/admission.js';
import type { Membership } from '../../members/membership.js';
import { Pace } from '../../members/pace.js';
import { assignToGroups, isSwapShort } from './assignment.js';
import { groupReplicas } from './groups.js';
import { Speeds } from './speeds.js';

/** How sums go: through the coordinator, between all nodes, or through the leaders of groups; auto: as suits their number. */
export const topologies = ['auto', 'star', 'mesh', 'hierarchical'] as const;
export type Topology = (typeof topologies)[number];

export interface SharesOptions {
  readonly topology: Topology;
  /** Workers of the keeper, and whether they compute shards too. */
  readonly keeperWorkers: number;
  readonly isComputing: boolean;
  readonly emit: (event: NodeEvent) => void;
}

/** Steps between two comparisons of all replicas. */
const HASH_EVERY = 16;
/**
 * The network sets the pace where more than the first share of a step is communication, until it is less than the second:
 * then a node may compute this many times longer so that less travels, which makes the share smaller.
 */
const LINK_BOUND = { above: 1 / 3, until: 1 / 5, slack: 3 };
/** Steps without a mesh after one of its connections was silent. */
const STAR_STEPS = 100;

export class Shares {
  /** The keeper's. */
  readonly pace = new Pace();
  readonly #speeds = new Speeds();
  readonly #epochSteps: number;
  /** Of a vector that one node owns. */
  readonly #buckets: number;
  /** Grows over restarts of the coordinator too, so that nothing old is taken for new. */
  #generation = Math.max(0, Math.floor(Date.now() / 1000));
  /** Shards of a full step, of each node that has any. */
  #sizes = new Map<number, number>();
  #dealt: { readonly key: string; readonly ranges: readonly ShardRange[] } | undefined;
  #told = '';
  #isLinkBound = false;
  #starUntil = 0;

  constructor(
    private readonly terms: AdmissionTerms,
    private readonly membership: Membership,
    private readonly options: SharesOptions,
  ) {
    this.#epochSteps = stepsPerEpoch(terms.dataset.train.count, terms.recipe.batchSize);
    const { length } = planContribution(inferLayers(terms.model));
    this.#buckets = Math.ceil(length / readBucketFloats(process.env));
  }

  /** @param isLast whether nothing follows the step, so that replicas are compared after it */
  assign(step: number, computing: readonly number[], isLast: boolean): Assignment {
    const { recipe, dataset } = this.terms;
    const samples = samplesInStep(step % this.#epochSteps, dataset.train.count, recipe.batchSize);
    const shards = shardCount(samples, recipe.shardSize);
    const replicas = [COORDINATOR_ID, ...this.membership.nodes.keys()];
    const members = this.#deal(shards, step, computing, replicas);
    const assignment: Assignment = {
      type: 'assign',
      step,
      generation: ++this.#generation,
      members: members.filter(({ range }) => range.end > range.begin),
      owners: [COORDINATOR_ID],
      replicas,
      groups: [],
      withHash: isLast || (step + 1) % HASH_EVERY === 0 || this.#hasProbation,
    };
    this.#tell(assignment);
    const owners = this.#chooseOwners(assignment);
    return owners ? { ...assignment, ...owners } : assignment;
  }

  /** Whether a node waits for a comparison before it gets shards. */
  get #hasProbation(): boolean {
    return [...this.membership.nodes.values()].some(({ isOnProbation }) => isOnProbation);
  }

  /** In the order of their ranges; behind slow links groups come first, since their leaders' sums travel furthest. */
  #deal(
    shards: number,
    step: number,
    computing: readonly number[],
    replicas: readonly number[],
  ): Assignment['members'][number][] {
    const speeds = this.#speeds.of(
      computing.map((id) => this.#runner(id)),
      step,
      shards,
    );
    const speedOf = new Map(computing.map((node, index) => [node, speeds[index] as number]));
    const slack = this.#findSlack();
    const isGrouped = this.options.topology === 'hierarchical' && slack > 1;
    const groups = isGrouped
      ? groupReplicas(replicas).map((group) => group.filter((node) => speedOf.has(node)))
      : [computing];
    const ranges = this.#findRanges(
      shards,
      groups.filter(({ length }) => length > 0).map((group) => group.map((node) => speedOf.get(node) as number)),
      slack,
    );
    return groups.flat().map((node, index) => ({ node, range: ranges[index] as ShardRange }));
  }

  /** Most steps are dealt as the one before: with a hundred nodes that is a few milliseconds saved. */
  #findRanges(shards: number, speeds: readonly (readonly number[])[], slack: number): readonly ShardRange[] {
    const key = JSON.stringify([shards, speeds, slack]);
    if (this.#dealt?.key !== key) this.#dealt = { key, ranges: assignToGroups(shards, speeds, slack) };
    return this.#dealt.ranges;
  }

  /** Who finishes the reduction, where that is not the coordinator alone. */
  #chooseOwners(assignment: Assignment): Pick<Assignment, 'owners' | 'groups'> | undefined {
    const { members, replicas } = assignment;
    const { topology } = this.options;
    if (topology === 'auto' && isSwapShort(assignment)) return { owners: [], groups: [] };
    if (!this.#isMeshing(assignment)) return undefined;
    if (topology === 'mesh') return { owners: members.map(({ node }) => node), groups: [] };
    const groups = groupReplicas(replicas);
    const leaders = groups.map(([first]) => first as number);
    // a vector of few buckets is not cut into smaller ones
    return { groups, owners: leaders.slice(0, this.#buckets) };
  }

  /** Goes on without a mesh for a while. */
  fallBackToStar(step: number): void {
    this.#starUntil = step + STAR_STEPS;
  }

  /** Every node as the progress shows it. */
  describe(): NodeShare[] {
    const { shardSize } = this.terms.recipe;
    const describe = (id: number, pace: Pace): NodeShare =>
      pace.share(this.nameOf(id), this.#sizes.get(id) ?? 0, shardSize);
    const others = [...this.membership.nodes.values()].map(({ id, pace }) => describe(id, pace));
    return this.options.isComputing ? [describe(COORDINATOR_ID, this.pace), ...others] : others;
  }

  #runner(id: number) {
    const { workers, pace } = this.membership.nodes.get(id) ?? { workers: this.options.keeperWorkers, pace: this.pace };
    return { id, workers, pace, hasShards: this.#sizes.has(id) };
  }

  /** Where the network sets the pace, ranges are rounded so that fewer sums travel. */
  #findSlack(): number {
    const { shardMs, communication } = this.pace;
    const bound = this.#isLinkBound ? LINK_BOUND.until : LINK_BOUND.above;
    this.#isLinkBound = shardMs !== undefined && communication > bound;
    return this.#isLinkBound ? LINK_BOUND.slack : 1;
  }

  #isMeshing({ members, step }: Assignment): boolean {
    const { topology } = this.options;
    const isWanted = topology === 'mesh' || topology === 'hierarchical';
    return isWanted && members.length > 1 && step >= this.#starUntil && this.membership.isMesh;
  }

  #tell({ members, step }: Assignment): void {
    const { batchSize, shardSize } = this.terms.recipe;
    const isFull = members.at(-1)?.range.end === shardCount(batchSize, shardSize);
    const shares = members.map(({ node, range }) => `${node}:${range.end - range.begin}`).join(' ');
    if (!isFull || shares === this.#told) return;
    this.#told = shares;
    this.#sizes = new Map(members.map(({ node, range }) => [node, range.end - range.begin]));
    const shards = members.map(({ node, range }) => ({ node: this.nameOf(node), shards: range.end - range.begin }));
    this.options.emit({ event: 'rebalanced', step, shards });
  }

  /** For people. */
  nameOf(id: number): string {
    return id === COORDINATOR_ID ? 'coordinator' : (this.membership.nodes.get(id)?.name ?? `node ${id}`);
  }
}
