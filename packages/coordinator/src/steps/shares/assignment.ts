/**
 * Who computes which shards of a step. Ranges are contiguous, in proportion to measured speed, and begin at multiples of
 * powers of two where that costs no time, so that few partial sums travel. No assignment changes a result.
 */
import { canonicalPartials, type ShardRange } from '@lockstep/core/run';
import type { Assignment } from '@lockstep/core/wire';
import { FinishTimes, finished } from './finish-times.js';

/**
 * Whether two replicas that both compute do best to send each other their sums, and each to finish all of it: nobody then
 * waits for a way back. Not where the coordinator has more sums to send than the node, which a finished one is less than.
 */
export function isSwapShort({ members, replicas }: Assignment): boolean {
  const [first, second] = members;
  if (replicas.length !== 2 || !first || !second) return false;
  return canonicalPartials(first.range).length <= canonicalPartials(second.range).length;
}

/** Shards of a node under an assignment. */
export function sizeOf({ members }: Assignment, id: number): number {
  const { begin, end } = members.find(({ node }) => node === id)?.range ?? { begin: 0, end: 0 };
  return end - begin;
}

/**
 * Deals shards to nodes whose speeds are given in any one unit. Nodes may end up with none.
 *
 * @param slack how many times longer the slowest may take for the sake of round ranges, from 1: where the network and
 *   not the cores set the pace, a second partial sum costs more than a few shards
 */
export const assignShards = (shards: number, speeds: readonly number[], slack = 1): ShardRange[] =>
  assignRange({ begin: 0, end: shards }, speeds, slack);

/**
 * Deals shards to groups, and what a group gets to its nodes: where its leader adds up, what it has left travels furthest.
 * Unless somebody would be done later than if shards were dealt to all nodes at once: the shards of ten nodes with eight
 * each are no round number.
 *
 * @param groups speeds of their nodes
 * @returns ranges of all nodes, in order
 */
export function assignToGroups(shards: number, groups: readonly (readonly number[])[], slack: number): ShardRange[] {
  const speeds = groups.flat();
  const atOnce = assignShards(shards, speeds, slack);
  if (groups.length < 2) return atOnce;
  const ofGroups = assignShards(
    shards,
    groups.map((nodes) => nodes.reduce((sum, speed) => sum + speed, 0)),
    slack,
  );
  const grouped = groups.flatMap((nodes, group) => assignRange(ofGroups[group] as ShardRange, nodes, slack));
  return timeOf(grouped, speeds) > timeOf(atOnce, speeds) * (1 + 1e-9) ? atOnce : grouped;
}

/** When the last is done. */
const timeOf = (ranges: readonly ShardRange[], speeds: readonly number[]): number =>
  Math.max(...ranges.map(({ begin, end }, node) => (end - begin) / (speeds[node] as number)));

function assignRange(all: ShardRange, speeds: readonly number[], slack: number): ShardRange[] {
  const even = dealInOrder(all, speeds, 1);
  if (slack === 1) return even;
  const round = dealInOrder(all, speeds, slack);
  return countPartials(round) < countPartials(even) ? round : even;
}

function dealInOrder(
  { begin: first, end: shards }: ShardRange,
  speeds: readonly number[],
  slack: number,
): ShardRange[] {
  const others = new FinishTimes(speeds);
  const slowest = others.timeFor(shards - first) * slack;
  let begin = first;
  return speeds.map((speed, node) => {
    const count = finished(speed, others.timeFor(shards - begin));
    others.remove(speed);
    const later = speeds.length - 1 - node;
    const rest = others.doneBy(slowest);
    const isFast = (end: number): boolean => end - begin <= finished(speed, slowest) && shards - end <= rest;
    const end = later === 0 ? shards : roundEnd(begin, begin + count, shards, later, isFast);
    const range = { begin, end };
    begin = end;
    return range;
  });
}

/** The roundest end near this one that makes nobody later. */
function roundEnd(begin: number, end: number, shards: number, later: number, isFast: (end: number) => boolean): number {
  for (let unit = 2 ** Math.floor(Math.log2(Math.max(1, shards))); unit > 1; unit /= 2) {
    const rounded = Math.round(end / unit) * unit;
    // nobody who has shards loses all of them
    const isShared = (rounded > begin || end === begin) && (shards - rounded >= later || rounded <= end);
    if (rounded >= begin && rounded <= shards && isShared && isFast(rounded)) return rounded;
  }
  return end;
}

/** Partial sums that travel or are held under an assignment. */
const countPartials = (ranges: readonly ShardRange[]): number =>
  ranges.reduce((sum, range) => sum + canonicalPartials(range).length, 0);
