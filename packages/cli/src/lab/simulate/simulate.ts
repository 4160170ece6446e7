/** Every case that `lockstep simulate` was asked for, and what is to be said about them. */

import { groupSizeOf, type Topology } from '@lockstep/coordinator/steps';
import { countOf } from '@lockstep/core/text';
import type { Io } from '../../terminal/io.js';
import { measureEach } from '../measure-each.js';
import { type Costs, findModelCosts, type ModelCosts } from './costs.js';
import { predictStep, type StepCase, type StepFigures } from './predict-step.js';
import type { SimulateSettings } from './settings.js';

export interface SimulatedCase extends StepFigures {
  readonly model: string;
  readonly topology: Topology;
  readonly nodes: number;
  readonly threads: number;
  readonly bitsPerSecond: number;
  readonly batchSize: number;
  /** For hierarchical: the one asked for, or the best. */
  readonly groupSize: number | undefined;
}

export interface Simulation {
  readonly cases: readonly SimulatedCase[];
  readonly notes: readonly string[];
  /** That of the signal that cut it short; 0 without one. */
  readonly exitCode: number;
}

/** Images for each node where no batch size is given. */
const BATCH_PER_NODE = 128;
/** What one run takes today: coordinator/src/members/membership.ts, worker/src/plan/memory-plan.ts. */
const MOST_NODES = 128;
/** Vectors that an owner can hold. */
const MOST_SUMS = 192;

/** Predicts them in order; a signal leaves out those that are not done. */
export async function simulate(costs: Costs, settings: SimulateSettings, io: Io): Promise<Simulation> {
  const models = settings.model === undefined ? costs.models : [findModelCosts(costs, settings.model)];
  const asked = models.flatMap((model) =>
    settings.bitsPerSecond.flatMap((bitsPerSecond) =>
      settings.topologies.flatMap((topology) =>
        settings.nodes.map((nodes) => ({ model, bitsPerSecond, topology, nodes })),
      ),
    ),
  );
  const cases: SimulatedCase[] = [];
  const exitCode = await measureEach(
    asked,
    'cases are predicted',
    ({ model, ...one }) => void cases.push(simulateCase(costs, model, settings, one)),
    io,
  );
  return { cases, notes: models.flatMap((model) => listNotes(model, settings, cases)), exitCode };
}

function simulateCase(
  costs: Costs,
  model: ModelCosts,
  settings: SimulateSettings,
  { bitsPerSecond, topology, nodes }: Pick<StepCase, 'bitsPerSecond' | 'topology' | 'nodes'>,
): SimulatedCase {
  const threads = settings.threads ?? Math.max(...model.threads.map((one) => one.threads));
  const batchSize = settings.batchSize ?? BATCH_PER_NODE * nodes;
  const one = { nodes, threads, topology, batchSize, bitsPerSecond, latency: settings.latency };
  const groupSize = settings.groupSize ?? groupSizeOf(nodes);
  const figures = predictStep(costs, model, { ...one, groupSize });
  const shown = topology === 'hierarchical' && nodes > 1 ? groupSize : undefined;
  return { model: model.model, topology, nodes, threads, bitsPerSecond, batchSize, groupSize: shown, ...figures };
}

function listNotes(
  { model, threads }: ModelCosts,
  settings: SimulateSettings,
  all: readonly SimulatedCase[],
): string[] {
  const cases = all.filter((one) => one.model === model);
  const notes: string[] = [];
  const idle = cases.find(({ computing, nodes }) => computing < nodes);
  if (idle) {
    notes.push(
      `${model}: a batch of ${idle.batchSize} is ${countOf(idle.shards, 'shard')}, so no more than ${countOf(idle.shards, 'node')} compute. Let the batch grow, or leave --batch-size away: 128 for each node.`,
    );
  }
  const crowd = cases.find(({ nodes }) => nodes > MOST_NODES);
  if (crowd)
    notes.push(`${model}: a run takes ${MOST_NODES} nodes today, and an owner holds ${MOST_SUMS} partial sums.`);
  const most = Math.max(...threads.map((one) => one.threads));
  if ((settings.threads ?? most) > most) {
    notes.push(
      `${model}: measured with up to ${countOf(most, 'thread')}; with ${settings.threads} each is taken to compute as fast, and to add up and update no faster.`,
    );
  }
  return notes;
}

/** Where one topology is left behind by another, and where a node more is a loss: one line for each model and link. */
export function describeLimits(cases: readonly SimulatedCase[]): string[] {
  const keys = [...new Set(cases.map(({ model, bitsPerSecond }) => `${model} ${bitsPerSecond}`))];
  return keys.flatMap((key) => {
    const own = cases.filter(({ model, bitsPerSecond }) => `${model} ${bitsPerSecond}` === key);
    const names = [...new Set(own.map(({ topology }) => topology))];
    return names.map((name) => {
      const line = own.filter(({ topology }) => topology === name);
      const most = line.reduce((a, b) => (b.imagesPerSecond > a.imagesPerSecond ? b : a));
      const half = line.filter(({ efficiency }) => efficiency >= 0.5).at(-1);
      const [first] = own as [SimulatedCase];
      return `${first.model}, ${formatLink(first.bitsPerSecond)}, ${name}: half as good as ideal up to ${countOf(half?.nodes ?? 0, 'node')}, fastest at ${most.nodes} (${Math.round(most.imagesPerSecond)} images/s), there limited by ${most.busiest}.`;
    });
  });
}

export const formatLink = (bitsPerSecond: number): string =>
  !Number.isFinite(bitsPerSecond)
    ? 'no cap'
    : bitsPerSecond >= 1e9
      ? `${bitsPerSecond / 1e9} Gbit/s`
      : `${bitsPerSecond / 1e6} Mbit/s`;
