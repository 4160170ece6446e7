/** When something happens to a run: mostly while it goes on, since nothing can harm it that comes after its end. */
import { KEEPER_MS_PER_SHARD, SHARDS } from '../machines/run.js';
import type { Draws } from '../world/draws.js';

/** Beside its shards, of a calm run: nodes that greet, and the way of what steps wait for. */
const ELSE_MS = 50;
/** Longer than most of what is done about a fault takes. */
const LONG_MS = 60_000;
const SHARE_DURING = 0.85;
const SHARE_SOON = 0.1;

/** Of a plan, what its times follow from. */
interface Computing {
  readonly nodes: readonly { readonly msPerShard: number }[];
  readonly isComputing: boolean;
  readonly audit: number;
}
interface Starting {
  readonly nodes: readonly { readonly startsAtMs: number }[];
  readonly isComputing: boolean;
  readonly waitFor: number;
}

/** About as long a calm run takes when its nodes are there. */
export function estimateWorkMs({ nodes, isComputing, audit }: Computing): number {
  const own = isComputing ? 1 / KEEPER_MS_PER_SHARD : 0;
  const shardsPerMs = nodes.reduce((sum, { msPerShard }) => sum + 1 / msPerShard, own);
  return ELSE_MS + SHARDS * Math.max(1 / shardsPerMs, audit * KEEPER_MS_PER_SHARD);
}

/** When as many nodes are there as a run waits for, and somebody who computes. */
export function estimateStartMs({ nodes, isComputing, waitFor }: Starting): number {
  const starts = nodes.map(({ startsAtMs }) => startsAtMs).sort((a, b) => a - b);
  const needed = Math.max(waitFor, isComputing ? 0 : 1);
  return needed === 0 ? 0 : (starts[needed - 1] as number);
}

/** @param calmMs about as long the run takes if nothing happens to it; what does makes it longer */
export function drawFaultMs(draws: Draws, calmMs: number): number {
  const share = draws.between(0, 1);
  if (share < SHARE_DURING) return draws.between(0, calmMs);
  return share < SHARE_DURING + SHARE_SOON ? draws.between(calmMs, 4 * calmMs) : draws.between(0, LONG_MS);
}
