/** A schedule as data: what a run is like, and what happens to it when; all of it drawn from a seed. */
import { type Topology, topologies } from '@lockstep/coordinator/steps';
import type { Flood } from '../machines/liar.js';
import { type RecipeName, recipeNames } from '../machines/run.js';
import { Draws } from '../world/draws.js';
import { drawFaultMs, estimateStartMs, estimateWorkMs } from './fault-times.js';

/** `node` is a node's place in the schedule, from 0; faults of a machine go by themselves after `forMs`. */
export type Fault =
  /** A process dies, and another is started in its place. `isTold`: its system ends its connections. */
  | { readonly kind: 'kill'; readonly node: number; readonly isTold: boolean; readonly forMs: number }
  | { readonly kind: 'kill coordinator'; readonly isTold: boolean; readonly forMs: number }
  /** A node is asked to leave, and comes back. */
  | { readonly kind: 'leave'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'freeze'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'freeze coordinator'; readonly forMs: number }
  /** Everything that it computes takes so many times as long. */
  | { readonly kind: 'slow'; readonly node: number; readonly times: number; readonly forMs: number }
  /** A connection breaks; which one is drawn when it happens. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'flip' }
  /** What a node says does not arrive, or what is said to it. */
  | { readonly kind: 'deafen'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'mute'; readonly node: number; readonly forMs: number }
  /** The network is cut in two: these nodes, and the others with the coordinator. */
  | { readonly kind: 'partition'; readonly nodes: readonly number[]; readonly forMs: number }
  /** The whole network becomes slow. */
  | { readonly kind: 'congestion'; readonly bytesPerMs: number; readonly latencyMs: number; readonly forMs: number };

/** Of the end of a run: its last step has begun, is committed, its nodes are about to be told, one of them knows it. */
export const moments = ['last step', 'last commit', 'closing', 'told'] as const;
export type Moment = (typeof moments)[number];

export interface PlannedNode {
  /** After the beginning, or after a moment of the end. */
  readonly startsAtMs: number;
  readonly startsWith?: Moment | undefined;
  readonly msPerShard: number;
  /** Whether it has the data; else they come from the coordinator. */
  readonly hasData: boolean;
  /** Share of what it says that is not so; 0: an honest one. */
  readonly lies: number;
  /** What a liar says far too often. */
  readonly floods?: Flood | undefined;
}

export interface Plan {
  readonly seed: number;
  readonly topology: Topology;
  readonly recipe: RecipeName;
  readonly nodes: readonly PlannedNode[];
  readonly waitFor: number;
  readonly isComputing: boolean;
  readonly audit: number;
  readonly segmentSteps: number;
  /** From the last commit until nodes are told of the end: an evaluation, files that are written. */
  readonly endingMs: number;
  /** What happens so long after a moment of the end; whoever comes then is to be told of it. */
  readonly endingFaults: readonly (readonly [moment: Moment, afterMs: number, fault: Fault])[];
  /** Nodes that the coordinator knows of, though they may not have come. */
  readonly expected: number;
  /** In the order of their times. */
  readonly faults: readonly (readonly [atMs: number, fault: Fault])[];
}

/** Whoever waits for such a node waits beyond all limits; only where the keeper computes too, and nobody is waited for: a coordinator that is started again does so again. */
const STUCK = 500_000;
const MOST_NODES = 4;
const MOST_FAULTS = 6;
/** A node that comes soon; late: while the run goes on. */
const EARLY_MS = 20;

/** @param only instead of any topology */
export function drawPlan(seed: number, only?: Topology): Plan {
  const draws = new Draws(seed, 0);
  const flooding = new Draws(seed, 5);
  const topology = only ?? draws.pick(topologies);
  const count = 1 + draws.below(MOST_NODES);
  const liars = draws.chance(0.25) ? 1 + draws.below(2) : 0;
  const isComputing = draws.chance(0.5);
  const audit = liars > 0 ? 1 : draws.pick([0, 0, 0.3]);
  const speeds = Array.from({ length: count }, () => ({ msPerShard: draws.between(0.5, 5) }));
  const workMs = estimateWorkMs({ nodes: speeds, isComputing, audit });
  const nodes = speeds.map(({ msPerShard }, node): PlannedNode => {
    const startsAtMs = draws.between(0, draws.chance(0.7) ? EARLY_MS : workMs);
    const lies = node < Math.min(liars, count - 1) ? draws.pick([0.02, 0.2, 1]) : 0;
    const floods = lies > 0 && flooding.chance(0.2) ? 'ahead' : undefined;
    return { startsAtMs, msPerShard, hasData: draws.chance(0.8), lies, floods };
  });
  const waitFor = draws.below(1 + nodes.filter(({ lies }) => lies === 0).length);
  const calmMs = estimateStartMs({ nodes, waitFor, isComputing }) + workMs;
  const faults = Array.from({ length: draws.below(1 + MOST_FAULTS) }, () => {
    const atMs = drawFaultMs(draws, calmMs);
    return [atMs, drawFault(draws, count, isComputing, waitFor > 0)] as const;
  }).sort(([a], [b]) => a - b);
  const recipe = draws.pick(recipeNames);
  const segmentSteps = 1 + draws.below(3);
  const ending = { endingMs: 0, endingFaults: [], expected: 0 };
  return { seed, topology, recipe, nodes, waitFor, isComputing, audit, segmentSteps, faults, ...ending };
}

const SOON_MS = 60;
/** Less than a coordinator waits for who has lost its connection. */
const AWAY_MS = 6000;

/** A run at whose end nodes come, are started again and lose their connections. @param only instead of any topology */
function drawEnding(seed: number, only?: Topology): Plan {
  const draws = new Draws(seed, 3);
  const topology = only ?? draws.pick(topologies);
  const recipe = draws.pick(recipeNames);
  const isComputing = draws.chance(0.5);
  const early = isComputing ? draws.below(3) : 1 + draws.below(2);
  const nodes = Array.from({ length: early + 1 + draws.below(3) }, (_, node): PlannedNode => {
    const startsWith = node < early ? undefined : draws.pick(moments);
    return {
      startsAtMs: draws.between(0, SOON_MS),
      startsWith,
      msPerShard: 1,
      hasData: draws.chance(0.5),
      lies: 0,
    };
  });
  const endingFaults = Array.from({ length: draws.below(4) }, () => {
    const killed = draws.below(nodes.length);
    const forMs = draws.between(1, AWAY_MS);
    const kill: Fault = { kind: 'kill', node: killed, isTold: draws.chance(0.7), forMs };
    const fault: Fault = draws.chance(0.7) ? { kind: 'cut' } : kill;
    return [draws.pick(moments), draws.between(0, SOON_MS), fault] as const;
  });
  const ending = { endingMs: draws.between(0, SOON_MS), endingFaults, expected: nodes.length };
  const plan = { waitFor: early, isComputing, audit: 0, segmentSteps: 1 + draws.below(3), faults: [], ...ending };
  return { seed, topology, recipe, nodes, ...plan };
}

/** A run of four nodes of which one or two lie, flood, stall or come and go, while the others have troubles of their own. */
function drawLiars(seed: number, only?: Topology): Plan {
  const draws = new Draws(seed, 4);
  const topology = only ?? draws.pick(topologies);
  const recipe = draws.pick(recipeNames);
  const liars = 1 + draws.below(2);
  const nodes = Array.from({ length: MOST_NODES }, (_, node): PlannedNode => {
    const lies = node < liars ? draws.pick([0.02, 0.2, 1]) : 0;
    const floods = lies > 0 && draws.chance(0.3) ? 'again' : undefined;
    return { startsAtMs: draws.between(0, 50), msPerShard: draws.between(0.5, 5), hasData: true, lies, floods };
  });
  const isComputing = draws.chance(0.5);
  const audit = draws.chance(0.5) ? 1 : 0.1;
  const waitFor = draws.below(1 + MOST_NODES - liars);
  const calmMs = estimateStartMs({ nodes, waitFor, isComputing }) + estimateWorkMs({ nodes, isComputing, audit });
  const faults = Array.from({ length: draws.below(1 + 2 * MOST_FAULTS) }, () => {
    const fault = drawFault(draws, draws.chance(0.5) ? liars : MOST_NODES, isComputing, true);
    // which sums were not computed again is known to the process that did not do it
    const isLost = fault.kind === 'kill coordinator' && audit < 1;
    return [drawFaultMs(draws, calmMs), isLost ? ({ kind: 'cut' } as const) : fault] as const;
  }).sort(([a], [b]) => a - b);
  const ending = { segmentSteps: 1 + draws.below(3), endingMs: 0, endingFaults: [], expected: 0 };
  return { seed, topology, recipe, nodes, waitFor, isComputing, audit, faults, ...ending };
}

/** What a run is to be like, besides its seed. */
export const planKinds = { any: drawPlan, endings: drawEnding, liars: drawLiars } as const;
export type PlanKind = keyof typeof planKinds;

function drawTimes(draws: Draws, isComputing: boolean, isWaiting: boolean): number {
  const times = draws.pick(isComputing ? [3, 30, 3000, STUCK] : [3, 30, 3000]);
  return isWaiting ? Math.min(3000, times) : times;
}

function drawFault(draws: Draws, count: number, isComputing: boolean, isWaiting: boolean): Fault {
  const node = draws.below(count);
  const isTold = draws.chance(0.7);
  const forMs = draws.chance(0.5) ? draws.between(1, 200) : draws.between(1, 30_000);
  switch (draws.below(12)) {
    case 0:
    case 1:
      return { kind: 'kill', node, isTold, forMs };
    case 2:
      return { kind: 'kill coordinator', isTold, forMs };
    case 3:
      return { kind: 'leave', node, forMs };
    case 4:
      return { kind: 'freeze', node, forMs };
    case 5:
      return { kind: 'freeze coordinator', forMs };
    case 6:
      return { kind: 'slow', node, times: drawTimes(draws, isComputing, isWaiting), forMs };
    case 7:
      return { kind: 'cut' };
    case 8:
      return { kind: 'flip' };
    case 9:
      return { kind: draws.chance(0.5) ? 'deafen' : 'mute', node, forMs };
    case 10:
      return { kind: 'partition', nodes: [...Array(count).keys()].filter(() => draws.chance(0.5)), forMs };
    default:
      return { kind: 'congestion', bytesPerMs: draws.pick([10, 100]), latencyMs: draws.pick([20, 500]), forMs };
  }
}
