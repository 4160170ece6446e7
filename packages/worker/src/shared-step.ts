/** The plan of a step that several nodes share, as one of them sees it: what it computes, adds up, sends and waits for. */
import {
  BUCKET_FLOATS,
  type Bucket,
  type ContributionLayout,
  canonicalNodes,
  dealShards,
  planBuckets,
  planFold,
  type ShardRange,
} from '@lockstep/core';
import type { Assignment } from '@lockstep/core/wire';
import type { MemoryPlan } from './memory-plan.js';
import type { FoldJob } from './orders.js';

/** A vector of the arena that holds a canonical node, or will. */
export interface Held {
  readonly range: ShardRange;
  readonly unit: number;
}

/** A canonical node that another node sends. */
export interface Awaited extends Held {
  readonly from: number;
  /** For each bucket, whether it is here. */
  readonly has: Uint8Array;
}

/** A canonical node of another node that is computed here too, to compare. */
export interface Audit extends Held {
  readonly of: Awaited;
  readonly jobs: readonly FoldJob[];
}

/** What steps of the same assignment have in common. */
interface SharedPlan {
  readonly buckets: readonly Bucket[];
  readonly range: ShardRange;
  /** Canonical nodes of each worker's shards. */
  readonly computed: readonly Held[];
  /** Canonical nodes of this node's range, and how to add up those that several workers share. */
  readonly own: readonly Held[];
  readonly jobs: readonly FoldJob[];
  readonly awaited: readonly Awaited[];
  readonly audits: readonly Audit[];
  /** Finishes the canonical tree; none where other nodes own every bucket. */
  readonly reduction: readonly FoldJob[];
}

export interface SharedStep extends SharedPlan {
  readonly assignment: Assignment;
  /** For each bucket, partial sums that are still to come. */
  readonly missing: Int32Array;
  /** For each bucket, whether its sum is here. */
  readonly reduced: Uint8Array;
  /** Buckets that are reduced and not yet applied. */
  readonly arrived: number[];
  /** For each bucket, whether this node's sums of it were sent. */
  readonly sent: Uint8Array;
  applied: number;
}

/** LOCKSTEP_BUCKET_FLOATS, for tests: smaller buckets, on every node. */
const BUCKET = Number(process.env['LOCKSTEP_BUCKET_FLOATS'] ?? BUCKET_FLOATS);
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

  /** @param audits canonical nodes of others to compute again here */
  begin(assignment: Assignment, audits: readonly ShardRange[]): SharedStep {
    const { members, owners } = assignment;
    const key = JSON.stringify([members, owners, audits]);
    if (!this.#plan || key !== this.#key) {
      this.#plan = planShared(assignment, audits, this.me, this.layout, this.memory, this.workers);
      this.#key = key;
    }
    const { buckets, awaited } = this.#plan;
    for (const { has } of awaited) has.fill(0);
    return {
      ...this.#plan,
      assignment,
      missing: new Int32Array(buckets.length).fill(awaited.length),
      reduced: new Uint8Array(buckets.length),
      arrived: [],
      sent: new Uint8Array(buckets.length),
      applied: 0,
    };
  }
}

function planShared(
  assignment: Assignment,
  audits: readonly ShardRange[],
  me: number,
  layout: ContributionLayout,
  memory: MemoryPlan,
  workers: number,
): SharedPlan {
  const buckets = planBuckets(layout, assignment.owners, BUCKET);
  const range = assignment.members.find(({ node }) => node === me)?.range ?? NOTHING;
  let partials = 0;
  const takeUnit = (): number => memory.partialAt(partials++);
  const computed = listComputed(range, memory, workers);
  const { held: own, jobs } = mergeComputed(range, computed, takeUnit);
  const isOwner = assignment.owners.includes(me);
  const awaited = (isOwner ? assignment.members : [])
    .filter(({ node }) => node !== me)
    .flatMap(({ node, range: theirs }) =>
      canonicalNodes(theirs).map((one) => ({
        from: node,
        range: one,
        unit: takeUnit(),
        has: new Uint8Array(buckets.length),
      })),
    );
  return {
    buckets,
    range,
    computed,
    own,
    jobs,
    awaited,
    audits: audits.flatMap((audited) => planAudit(audited, awaited, memory, workers, takeUnit())),
    reduction: isOwner ? [planReduction(computed, awaited, memory.reductionAt)] : [],
  };
}

/** What the workers leave in their slots after computing a range. */
function listComputed(range: ShardRange, memory: MemoryPlan, workers: number): Held[] {
  return dealShards(range.end - range.begin, workers).flatMap(({ begin, end }, worker) =>
    canonicalNodes({ begin: range.begin + begin, end: range.begin + end }).map((node, slot) => ({
      range: node,
      unit: memory.nodesAt(worker) + slot * memory.vector,
    })),
  );
}

/** The canonical nodes of a range from those of its workers; a node that one worker has alone stays where it is. */
function mergeComputed(range: ShardRange, computed: readonly Held[], takeUnit: () => number) {
  const jobs: FoldJob[] = [];
  const held = canonicalNodes(range).map((node): Held => {
    const parts = computed.filter((part) => part.range.begin >= node.begin && part.range.end <= node.end);
    if (parts.length === 1) return parts[0] as Held;
    const unit = takeUnit();
    jobs.push(planJob(parts, node, unit));
    return { range: node, unit };
  });
  return { held, jobs };
}

function planJob(parts: readonly Held[], node: ShardRange, into: number): FoldJob {
  const shifted = parts.map(({ range }) => ({ begin: range.begin - node.begin, end: range.end - node.begin }));
  return { into, nodes: parts.map(({ unit }) => unit), fold: planFold(shifted) };
}

/** Always copied: the workers' slots are needed for this node's own shards. */
function planAudit(
  range: ShardRange,
  awaited: readonly Awaited[],
  memory: MemoryPlan,
  workers: number,
  unit: number,
): Audit[] {
  const of = awaited.find((one) => one.range.begin === range.begin && one.range.end === range.end);
  if (!of) return [];
  return [{ of, range, unit, jobs: [planJob(listComputed(range, memory, workers), range, unit)] }];
}

function planReduction(computed: readonly Held[], awaited: readonly Awaited[], into: number): FoldJob {
  const nodes = [...computed, ...awaited].sort((a, b) => a.range.begin - b.range.begin);
  return { into, nodes: nodes.map(({ unit }) => unit), fold: planFold(nodes.map(({ range }) => range)) };
}
