/** The plan of a step that several nodes share, as one of them sees it: what it computes, adds up, sends and waits for. */

import { LockstepError } from '@lockstep/core/errors';
import {
  type Bucket,
  type ContributionLayout,
  canonicalPartials,
  dealShards,
  planBuckets,
  planFold,
  readBucketFloats,
  type ShardRange,
} from '@lockstep/core/run';
import type { Assignment } from '@lockstep/core/wire';
import type { MemoryPlan } from '../plan/memory-plan.js';
import type { FoldJob } from '../threads/commands.js';
import { planRoutes } from './routes.js';

/** A vector of the arena that holds a partial, or will. */
export interface Held {
  readonly range: ShardRange;
  readonly unit: number;
}

/** A partial that another node sends. */
export interface Awaited extends Held {
  readonly from: number;
  /** Whether it comes for the buckets alone that this node owns; else for all of them. */
  readonly isForOwned: boolean;
  /** For each bucket, whether it is here; of the step whose arrivals are taken (arrivals.ts). */
  readonly has: Uint8Array;
}

/** A partial of another node that is computed here too, to compare. All share one vector, so a hash of each bucket is kept. */
export interface Audit extends Held {
  readonly of: Awaited;
  /** For each bucket; of the step that is under way. */
  readonly hashes: string[];
  readonly jobs: readonly FoldJob[];
}

/** A bucket, to whom this node sends its sums of it, and to whom it hands the finished ones (routes.ts). */
export interface RoutedBucket extends Bucket {
  readonly up: readonly number[];
  readonly below: readonly number[];
}

/** What steps of the same assignment have in common. */
interface SharedPlan {
  readonly buckets: readonly RoutedBucket[];
  readonly range: ShardRange;
  /** To whom sums of some bucket go. */
  readonly receivers: readonly number[];
  /** Of how many buckets, from the first whose finished sum is not here, this node sends its sums; Infinity: of all. */
  readonly lead: number;
  /** Partials of each worker's shards. */
  readonly computed: readonly Held[];
  /** Partials of the shards whose sums go up from here, and how to add up those that come from several. */
  readonly own: readonly Held[];
  readonly jobs: readonly FoldJob[];
  readonly awaited: readonly Awaited[];
  readonly audits: readonly Audit[];
  /** Finishes the canonical tree; none where other nodes own every bucket. */
  readonly reduction: readonly FoldJob[];
  /** For each bucket, partial sums that are still to come; of them those without which this node's own cannot go up. */
  readonly missing: Int32Array;
  readonly ungathered: Int32Array;
  /** For each bucket, whether this node has sent its sums of it, or has none to send. */
  readonly sent: Uint8Array;
}

/** Its counts go down, and its marks are set, while it goes on. */
export interface SharedStep extends SharedPlan {
  readonly assignment: Assignment;
  /** For each bucket, whether its sum is here. */
  readonly reduced: Uint8Array;
  /** Buckets that are reduced and not yet applied. */
  readonly arrived: number[];
  applied: number;
}

const BUCKET = readBucketFloats(process.env);
/**
 * Of each owner, where nodes are in groups. What members could send at once would fill their leader's cable and keep what
 * other leaders send waiting, without which nothing is finished, and the way back would stand empty: of four nodes with
 * cnn11m on 1 Gbit/s it took an eighth of a step. 1, 2, 8 and 12 were slower than 4 there.
 */
const GROUP_LEAD = 4;
const NOTHING: ShardRange = { begin: 0, end: 0 };

/** Plans steps, one after the other: of those that are dealt alike the first is planned, the others are the same. */
export class SharedSteps {
  #key = '';
  #plan: SharedPlan | undefined;

  constructor(
    private readonly me: number,
    private readonly layout: ContributionLayout,
    private readonly memory: MemoryPlan,
    private readonly workers: number,
  ) {}

  /** @param audits partials of others to compute again here */
  begin(assignment: Assignment, audits: readonly ShardRange[]): SharedStep {
    const { members, owners, replicas, groups } = assignment;
    const key = JSON.stringify([members, owners, replicas, groups, audits]);
    if (!this.#plan || key !== this.#key) {
      this.#plan = planShared(assignment, audits, this.me, this.layout, this.memory, this.workers);
      this.#key = key;
    }
    const { missing, ungathered, sent, buckets } = this.#plan;
    return {
      ...this.#plan,
      assignment,
      missing: missing.slice(),
      ungathered: ungathered.slice(),
      sent: sent.slice(),
      reduced: new Uint8Array(buckets.length),
      arrived: [],
      applied: 0,
    };
  }
}

/** Whether a partial of another node comes for a bucket, to this node. */
export const comesFor = ({ isForOwned }: Awaited, { owner }: Bucket, me: number): boolean =>
  !isForOwned || owner === me;

function planShared(
  assignment: Assignment,
  audits: readonly ShardRange[],
  me: number,
  layout: ContributionLayout,
  memory: MemoryPlan,
  workers: number,
): SharedPlan {
  const { groups } = assignment;
  const owners = assignment.owners.length > 0 ? assignment.owners : [me];
  const routes = planRoutes(assignment, me);
  const buckets = planBuckets(layout, owners, BUCKET).map((bucket): RoutedBucket => {
    return { ...bucket, up: routes.up(bucket.owner), below: routes.below(bucket.owner) };
  });
  const receivers = [...new Set(buckets.flatMap(({ up }) => up))];
  const rangeOf = (nodes: readonly number[]): ShardRange => joinRanges(assignment, nodes);
  const range = rangeOf([me]);
  let partials = 0;
  const takeUnit = (): number => memory.partialAt(partials++);
  const awaitFrom = (from: number, nodes: readonly number[], isForOwned: boolean): Awaited[] =>
    canonicalPartials(rangeOf(nodes)).map((one) => {
      return { from, range: one, unit: takeUnit(), has: new Uint8Array(buckets.length), isForOwned };
    });
  const computed = listComputed(range, memory, workers);
  const gathered = routes.members.flatMap((node) => awaitFrom(node, [node], false));
  const isOwner = owners.includes(me);
  const brought = isOwner ? routes.others.flatMap((group) => awaitFrom(group[0] as number, group, true)) : [];
  const awaited = [...gathered, ...brought];
  const merged =
    receivers.length > 0
      ? mergeHeld(rangeOf([me, ...routes.members]), [...computed, ...gathered].sort(byShards), takeUnit)
      : { held: [], jobs: [] };
  const unit = audits.length > 0 ? takeUnit() : 0;
  const planned = audits.flatMap((audited) => planAudit(audited, awaited, memory, workers, unit));
  if (partials > memory.partials) throw crowdError(partials, memory.partials);
  return {
    buckets,
    receivers,
    lead: groups.length > 0 ? GROUP_LEAD * owners.length : Number.POSITIVE_INFINITY,
    range,
    computed,
    own: merged.held,
    jobs: merged.jobs,
    awaited,
    audits: planned,
    reduction: isOwner ? [planReduction([...computed, ...awaited].sort(byShards), memory.reductionAt)] : [],
    missing: Int32Array.from(buckets, (bucket) => awaited.filter((one) => comesFor(one, bucket, me)).length),
    ungathered: new Int32Array(buckets.length).fill(gathered.length),
    sent: Uint8Array.from(buckets, ({ up }) => (up.length === 0 || merged.held.length === 0 ? 1 : 0)),
  };
}

const byShards = (a: Held, b: Held): number => a.range.begin - b.range.begin;

/** Shards of some nodes, which are side by side. */
function joinRanges({ members }: Assignment, nodes: readonly number[]): ShardRange {
  const ranges = members.filter(({ node }) => nodes.includes(node)).map((member) => member.range);
  const begin = Math.min(...ranges.map((range) => range.begin));
  return ranges.length === 0 ? NOTHING : { begin, end: Math.max(...ranges.map(({ end }) => end)) };
}

const crowdError = (needed: number, there: number): LockstepError =>
  new LockstepError(
    'LOCKSTEP_NODE_SUMS',
    `a step has ${needed} partial sums for one node, which has room for ${there}. Use --topology hierarchical, fewer nodes, or a larger --shard-size.`,
  );

/** The partials that the workers leave after computing a range. */
function listComputed(range: ShardRange, memory: MemoryPlan, workers: number): Held[] {
  return dealShards(range.end - range.begin, workers).flatMap(({ begin, end }, worker) =>
    canonicalPartials({ begin: range.begin + begin, end: range.begin + end }).map((partial, index) => ({
      range: partial,
      unit: memory.partialsAt(worker) + index * memory.vector,
    })),
  );
}

/** The partials of a range from those of its parts; one that a worker or another node has alone stays where it is. */
function mergeHeld(range: ShardRange, all: readonly Held[], takeUnit: () => number) {
  const jobs: FoldJob[] = [];
  const held = canonicalPartials(range).map((partial): Held => {
    const parts = all.filter((part) => part.range.begin >= partial.begin && part.range.end <= partial.end);
    if (parts.length === 1) return parts[0] as Held;
    const unit = takeUnit();
    jobs.push(planJob(parts, partial, unit));
    return { range: partial, unit };
  });
  return { held, jobs };
}

function planJob(parts: readonly Held[], partial: ShardRange, into: number): FoldJob {
  const shifted = parts.map(({ range }) => ({ begin: range.begin - partial.begin, end: range.end - partial.begin }));
  return { into, partials: parts.map(({ unit }) => unit), fold: planFold(shifted) };
}

/** Always copied: the workers' partials are needed for this node's own shards. */
function planAudit(
  range: ShardRange,
  awaited: readonly Awaited[],
  memory: MemoryPlan,
  workers: number,
  unit: number,
): Audit[] {
  const of = awaited.find((one) => one.range.begin === range.begin && one.range.end === range.end);
  if (!of) return [];
  return [{ of, range, unit, hashes: [], jobs: [planJob(listComputed(range, memory, workers), range, unit)] }];
}

function planReduction(partials: readonly Held[], into: number): FoldJob {
  return { into, partials: partials.map(({ unit }) => unit), fold: planFold(partials.map(({ range }) => range)) };
}
