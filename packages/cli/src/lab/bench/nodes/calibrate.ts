/** `lockstep bench calibrate`: what `lockstep simulate` must know of a machine. */

import type { Topology } from '@lockstep/coordinator/steps';
import type { Dataset } from '@lockstep/core/data';
import { findUsableCores } from '@lockstep/core/machine';
import { inferLayers } from '@lockstep/core/model';
import { planContribution } from '@lockstep/core/run';
import { type ModelSpecInput, parseModelSpec, recipeSchema } from '@lockstep/core/spec';
import { fixed } from '@lockstep/core/text';
import { findTail } from '@lockstep/worker';
import { formatTable } from '../../../terminal/text-table.js';
import type { Costs, ModelCosts } from '../../simulate/costs.js';
import { type Between, measureBetween } from '../measure/between.js';
import { describeOccasion } from '../measure/machine.js';
import type { Slice } from '../measure/measured-run.js';
import { predictOnOneMachine } from '../measure/speedometer.js';
import { isSettled, median } from '../measure/statistics.js';
import { TimedNode } from '../measure/timed-node.js';
import { planWorkload, type Workload } from '../measure/workload.js';
import { measureMessages } from './calibrate-messages.js';
import { measureThreadCosts } from './calibrate-node.js';
import { WARM_SLICES } from './cluster-speed.js';
import { SharedRun } from './shared-run.js';

export interface CalibrationPlan {
  readonly workloads: readonly Workload[];
  readonly data: string | undefined;
  readonly threads: readonly number[];
  readonly seconds: number;
  readonly repetitions: number;
  readonly announce: (what: string) => void;
}

export async function calibrate(plan: CalibrationPlan): Promise<Costs> {
  const { workloads, data, threads, seconds, repetitions, announce } = plan;
  const { machine, date, commit } = describeOccasion();
  announce('messages');
  const message = await measureMessages(seconds);
  const models: ModelCosts[] = [];
  for (const workload of workloads) {
    announce(workload.model.name);
    models.push(await measureModel(workload, threads, seconds));
  }
  const cores = findUsableCores().count;
  const occasion = { machine: { ...machine }, date, ...(commit !== undefined && { commit }) };
  const costs: Costs = { calibration: 4, ...occasion, cores, message, step: NOTHING, models };
  announce('a step of two nodes');
  const small = planSmall(workloads[0]?.dataset as Dataset);
  const smallCosts = { ...costs, models: [await measureModel(small, threads, seconds)] };
  const node = new TimedNode(small, NODES);
  const measure = (topology: Topology): Promise<number> =>
    measureOverhead(small, { data, costs: smallCosts, topology, node, seconds, repetitions });
  try {
    const step = { swap: await measure('auto'), star: await measure('star'), mesh: await measure('mesh') };
    return { ...costs, step };
  } finally {
    await node.close();
  }
}

/** Of the run whose steps are looked at. */
const NODES = 2;
/** Slices go on until that is known to within this share of a step. */
const KNOWN_ERROR = 0.05;
const NOTHING: Costs['step'] = { swap: 0, star: 0, mesh: 0 };

async function measureModel(workload: Workload, threads: readonly number[], seconds: number): Promise<ModelCosts> {
  const { model, recipe } = workload;
  const measured = [];
  for (const count of threads) measured.push(await measureThreadCosts(workload, count, seconds));
  const layers = inferLayers(model);
  const layout = planContribution(layers);
  const { length: floats } = layout;
  const tailFloats = floats - findTail('native', layers, layout, recipe);
  return { model: model.name, floats, tailFloats, shardSize: recipe.shardSize, threads: measured };
}

/** A step in which little is sent, but enough computed for the memory of all else to have left the caches. */
function planSmall(dataset: Dataset): Workload {
  const { channels, height, width, classes } = dataset;
  const block = (outChannels: number): ModelSpecInput['layers'] => [
    { type: 'conv', outChannels, kernel: 3, padding: 1 },
    { type: 'relu' },
    { type: 'maxPool', kernel: 2 },
  ];
  const layers: ModelSpecInput['layers'] = [
    ...block(8),
    ...block(16),
    { type: 'flatten' },
    { type: 'linear', outFeatures: classes },
  ];
  const spec = { name: 'small', input: { channels, height, width }, classes, layers };
  const model = parseModelSpec(spec, 'the small model');
  return planWorkload(model, recipeSchema.parse({}), dataset, 1);
}

interface OverheadPlan {
  readonly data: string | undefined;
  /** Of `small`, and of frames. */
  readonly costs: Costs;
  readonly topology: Topology;
  /** `small` with a thread for each node. */
  readonly node: TimedNode;
  readonly seconds: number;
  readonly repetitions: number;
}

/**
 * What two nodes take over loopback beyond what they compute and send; seconds. Their computing is not predicted but
 * timed, before and after each slice: what is looked for is less than a prediction may be wrong by.
 */
async function measureOverhead(
  { model, recipe }: Workload,
  { data, costs, topology, node, seconds, repetitions }: OverheadPlan,
): Promise<number> {
  const shards = recipe.batchSize / recipe.shardSize / NODES;
  const plan = { nodes: NODES, threads: 1, topology, isLoopback: true, ownCores: true };
  const run = (await SharedRun.start({ model, recipe, data }, plan, WARM_SLICES * seconds)) as SharedRun;
  try {
    const { step, compute } = predictOnOneMachine(costs, 1, model.name, { nodes: NODES, topology });
    const overheadOf = ({ before, measured, after }: Between<Slice, number>): number => {
      const computed = (before + after) / 2;
      return (measured.stepMs / 1000 - computed) / (computed / compute) - (step - compute);
    };
    const slices = await measureBetween<Slice, number>(
      (sofar) => isSettled(sofar.map(overheadOf), repetitions, KNOWN_ERROR * step),
      () => run.measure(seconds),
      () => node.timeMeanCompute(shards, seconds / 2),
    );
    return Math.max(0, median(slices.map(overheadOf)));
  } finally {
    run.end();
  }
}

/** A line per model and number of threads, in microseconds. */
export function formatCosts({ message, step, models }: Costs): string[] {
  const us = (seconds: number): string => fixed(1e6 * seconds, 1);
  const perMegabyte = (seconds: number): string => fixed(1e12 * seconds, 0);
  const headings = ['Model', 'Threads', 'Floats', 'us/step', 'us/shard', 'us/fold', 'us/update', 'us/order'];
  const rows = models.flatMap(({ model, floats, threads }) =>
    threads.map((one) => [
      model,
      String(one.threads),
      String(floats),
      ...[one.contributeBase, one.contributeShard, one.foldVector, one.updateVector, one.order].map(us),
    ]),
  );
  return [
    ...formatTable([headings, ...rows], 'lrrrrrrr'),
    '',
    `A frame: ${us(message.send)} us to send and ${us(message.receive)} us to receive, with ${perMegabyte(message.sendByte)} and ${perMegabyte(message.receiveByte)} us for each MB.`,
    `A step of two nodes beyond that: ${us(step.swap)} us (swap), ${us(step.star)} us (star), ${us(step.mesh)} us (mesh).`,
  ];
}
