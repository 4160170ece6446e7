/**
 * Predicts a step of a run that many nodes share.
 *
 *   everybody contributes -> exchange (a pipeline of buckets, exchange.ts) -> commit
 *      meanwhile: assign the next step
 *
 * An analytic model, not a simulation of events: nodes are alike, so what one does N do, and the time of a pipeline is
 * known in closed form. It costs microseconds for 4,096 nodes, where a mesh has 16 million messages.
 */
import { assignShards, assignToGroups, groupReplicas, type Topology } from '@lockstep/coordinator/steps';
import type { ShardRange } from '@lockstep/core/run';
import { MAX_PAYLOAD_BYTES } from '@lockstep/core/wire';
import { timeComputing } from './computing.js';
import { type Costs, findThreadCosts, type ModelCosts, type ThreadCosts } from './costs.js';
import { describeDeal } from './deal-figures.js';
import {
  type Exchange,
  type ExchangeCase,
  type Groups,
  planHierarchy,
  planMesh,
  planStar,
  planSwap,
} from './exchange.js';
import { timePipeline } from './pipeline.js';

export interface StepCase {
  readonly nodes: number;
  readonly threads: number;
  readonly topology: Topology;
  /** Nodes of a group, for hierarchical. */
  readonly groupSize: number;
  readonly batchSize: number;
  /** Of each node's cable, each way; Infinity: not capped. */
  readonly bitsPerSecond: number;
  /** Seconds, one way. */
  readonly latency: number;
  /** Cores that all nodes share, when they are processes of one machine. */
  readonly sharedCores?: number | undefined;
}

export interface StepFigures {
  /** Nodes that have shards; the others only hold a replica. */
  readonly computing: number;
  readonly shards: number;
  /** Seconds. */
  readonly compute: number;
  readonly exchange: number;
  /** Both at the same time. */
  readonly overlap: number;
  readonly step: number;
  readonly imagesPerSecond: number;
  /** Images/s over those of as many nodes alone at the same batch. */
  readonly efficiency: number;
  /** What sets the pace of the exchange. */
  readonly busiest: string;
  readonly busiestBytes: number;
  readonly totalBytes: number;
  readonly connections: number;
}

/** What a cable carries for each byte of a sum: a TCP segment has 1,448 of the 1,538 bytes that an Ethernet frame takes. */
export const CABLE_BYTES = 1538 / 1448;
/** Bytes of an assignment for each node. */
const ASSIGNMENT_ENTRY_BYTES = 24;

export function predictStep(costs: Costs, model: ModelCosts, one: StepCase): StepFigures {
  const { nodes, threads, batchSize } = one;
  const shards = Math.ceil(batchSize / model.shardSize);
  const alone = predictAlone(model, shards, threads);
  const base = {
    shards,
    computing: 1,
    totalBytes: 0,
    busiestBytes: 0,
    connections: 0,
    busiest: 'threads',
    exchange: 0,
    overlap: 0,
  };
  if (nodes === 1) return { ...base, compute: alone, step: alone, imagesPerSecond: batchSize / alone, efficiency: 1 };
  const round = predictShared(costs, model, one, shards, 1);
  // the coordinator deals rounder ranges where the network sets the pace (coordinator/src/steps/shares/shares.ts)
  const isLinkBound = round.exchange - round.overlap > LINK_BOUND * round.compute;
  const { compute, exchange, overlap, plan, busiest, computing } = isLinkBound
    ? predictShared(costs, model, one, shards, LINK_BOUND_SLACK)
    : round;
  const step = compute + exchange - overlap;
  return {
    ...base,
    computing,
    compute,
    exchange,
    overlap,
    step,
    busiest,
    imagesPerSecond: batchSize / step,
    efficiency: alone / step / nodes,
    busiestBytes: plan.busiestBytes,
    totalBytes: plan.totalBytes,
    connections: plan.connections,
  };
}

const LINK_BOUND = 0.5;
const LINK_BOUND_SLACK = 3;

/** A node alone needs no orders and no exchange. */
function predictAlone(model: ModelCosts, shards: number, threads: number): number {
  const { contributeBase, contributeShard, foldVector, updateVector } = findThreadCosts(model, threads);
  const sums = Math.min(threads, shards);
  return contributeBase + contributeShard * Math.ceil(shards / threads) + foldVector * sums + updateVector;
}

function predictShared(costs: Costs, model: ModelCosts, one: StepCase, shards: number, slack: number) {
  const { nodes, threads, latency, sharedCores } = one;
  const own = findThreadCosts(model, threads);
  const ranges = deal(one, shards, slack);
  const figures = describeDeal(ranges);
  const exchangeCase: ExchangeCase = {
    ...figures,
    nodes,
    threads,
    sharedCores,
    bytes: 4 * model.floats,
    bucketBytes: MAX_PAYLOAD_BYTES,
    bytesPerSecond: one.bitsPerSecond / 8 / CABLE_BYTES,
    message: costs.message,
    foldVector: own.foldVector,
    updateVector: own.updateVector,
    order: own.order,
    assigning: timeAssigning(costs, one),
  };
  const { plan, hops, overhead } = planTopology(costs, one, exchangeCase, ranges);
  const { seconds, busy, onCable, busiest } = timePipeline(plan.stages, plan.rounds);
  const times = timeComputing(model, { ranges, threads, sharedCores });
  const compute = Math.max(...times);
  // behind slow cables members of a group begin when leaders are done: nobody waits for a turn
  const turn = slack > 1 && one.topology === 'hierarchical' ? 0 : predictTurn(one);
  // while a node waits for its turn, others compute: what a step takes beyond its parts passes meanwhile
  const path =
    seconds + Math.max(overhead, turn) + hops * latency + predictControl(costs, one, exchangeCase.assigning, compute);
  // the tail travels while the rest is computed; where nodes share cores, what needs a core takes turns with computing
  const early = (model.tailFloats / model.floats) * (sharedCores === undefined ? seconds : onCable);
  const around = isStar(one)
    ? timeStar(own, times, path, early)
    : compute + path - Math.min(own.afterTail * compute, early);
  const step = Math.max(around, busy);
  const exchange = Math.max(path, step - compute);
  return { compute, exchange, overlap: compute + exchange - step, plan, busiest, computing: figures.computing };
}

const isStar = ({ topology, nodes }: StepCase): boolean => topology === 'star' || (topology === 'auto' && nodes > 2);

/**
 * As the coordinator deals to nodes of equal speed (coordinator/src/steps/shares/shares.ts), behind slow links to groups first. Where
 * processes share cores, a star's coordinator computes while the others wait for sums, is faster, and gets more.
 */
function deal(one: StepCase, shards: number, slack: number): ShardRange[] {
  const { nodes, threads, groupSize, sharedCores = Number.POSITIVE_INFINITY } = one;
  const isFirstFaster = isStar(one) && slack > 1;
  const crowd = Math.max(1, (nodes * threads) / sharedCores);
  const speeds = Array.from({ length: nodes }, (_, node) => (node === 0 && isFirstFaster ? crowd : 1));
  return one.topology === 'hierarchical' && slack > 1
    ? assignToGroups(shards, groupReplicas(speeds, groupSize), slack)
    : assignShards(shards, speeds, slack);
}

/** The coordinator of a star has the sums first: it computes while they travel to the others and back. */
function timeStar(
  { afterTail, updateVector }: ThreadCosts,
  [first = 0, ...others]: readonly number[],
  path: number,
  early: number,
): number {
  const last = Math.max(0, ...others);
  return Math.max(last + path - Math.min(afterTail * last, early), first + updateVector);
}

/** A turn of Linux's scheduler at its usual 250 Hz: threads that share a core are done one turn after the other. */
const TURN_SECONDS = 0.004;

const predictTurn = ({ nodes, threads, sharedCores = Number.POSITIVE_INFINITY }: StepCase): number =>
  nodes * threads > sharedCores ? TURN_SECONDS : 0;

/** What the coordinator says to each node beyond the first, one after the other. */
const timeAssigning = ({ message: { send, sendByte } }: Costs, { nodes }: StepCase): number =>
  Math.max(0, nodes - 2) * (send + sendByte * ASSIGNMENT_ENTRY_BYTES * nodes);

/** Nodes are told of the next step while this one is computed, and say so when it is applied. */
function predictControl(costs: Costs, { nodes, topology }: StepCase, assigning: number, compute: number): number {
  const assignedLate = Math.max(0, assigning - compute);
  // `applied` comes while the next step is computed; where sums go other ways, it is waited for
  const isHeardLater = topology === 'star' || topology === 'auto';
  return isHeardLater ? assignedLate : assignedLate + Math.max(0, nodes - 2) * costs.message.receive;
}

function planTopology(
  costs: Costs,
  { topology, groupSize, nodes }: StepCase,
  exchangeCase: ExchangeCase,
  ranges: readonly ShardRange[],
) {
  const { swap, star, mesh } = costs.step;
  if (topology === 'auto' && nodes === 2) return { plan: planSwap(exchangeCase), hops: 1, overhead: swap };
  if (topology === 'auto' || topology === 'star') return { plan: planStar(exchangeCase), hops: 2, overhead: star };
  if (topology === 'mesh') return { plan: planMesh(exchangeCase), hops: 2, overhead: mesh };
  // two wake-ups more than a mesh: up to the leader, and down from it
  const overhead = mesh + 2 * (mesh / 4);
  return { plan: planHierarchy(exchangeCase, describeGroups(ranges, groupSize)), hops: 4, overhead } satisfies {
    plan: Exchange;
    hops: number;
    overhead: number;
  };
}

/** Groups hold neighbouring ranges of shards, so that a leader can fold them. */
function describeGroups(ranges: readonly ShardRange[], groupSize: number): Groups {
  const groups = groupReplicas(ranges, groupSize);
  const joined = groups.map((members) => ({ begin: members[0]?.begin ?? 0, end: members.at(-1)?.end ?? 0 }));
  const { mostSums, firstSums, otherSums } = describeDeal(joined);
  const size = Math.max(...groups.map(({ length }) => length));
  return { size, leaders: groups.length, mostSums, sums: firstSums + otherSums };
}
