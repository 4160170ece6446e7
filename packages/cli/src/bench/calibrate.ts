/** `lockstep bench calibrate`: what `lockstep simulate` must know of a machine. */

import { availableParallelism } from 'node:os';
import type { Topology } from '@lockstep/coordinator/cluster';
import { type Dataset, inferLayers, type ModelSpec, planContribution, recipeSchema } from '@lockstep/core';
import { findTail } from '@lockstep/worker';
import type { Costs, ModelCosts } from '../simulate/costs.js';
import { predictStep } from '../simulate/predict.js';
import { formatTable } from '../text-table.js';
import { measureMessages } from './calibrate-messages.js';
import { measureThreadCosts } from './calibrate-node.js';
import { describeOccasion } from './machine.js';
import { measureMedian, type RunTask } from './measured-run.js';
import { SharedRun } from './shared-run.js';
import { BENCH_BATCH, planWorkload, type Workload } from './workload.js';

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
  const cores = availableParallelism();
  const occasion = { machine: { ...machine }, date, ...(commit !== undefined && { commit }) };
  const costs: Costs = { calibration: 4, ...occasion, cores, message, step: NOTHING, models };
  const tiny = planTiny(workloads[0]?.dataset as Dataset);
  announce('a step of two nodes');
  const tinyCosts = await measureModel(tiny, [1], seconds);
  const measure = (topology: Topology): Promise<number> =>
    measureOverhead(
      { model: tiny.model, recipe: tiny.recipe, data },
      { ...costs, models: [tinyCosts] },
      topology,
      seconds,
      repetitions,
    );
  const step = { swap: await measure('auto'), star: await measure('star'), mesh: await measure('mesh') };
  return { ...costs, step };
}

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

/** A dense layer alone: a step in which next to nothing is computed or sent. */
function planTiny(dataset: Dataset): Workload {
  const { channels, height, width, classes } = dataset;
  const model: ModelSpec = {
    name: 'dense',
    input: { channels, height, width },
    classes,
    layers: [{ type: 'flatten' }, { type: 'linear', outFeatures: classes, bias: true }],
  };
  return planWorkload(model, recipeSchema.parse({}), dataset, 1);
}

/** What two nodes take over loopback beyond what the other costs explain. */
async function measureOverhead(
  tiny: Pick<RunTask, 'model' | 'recipe' | 'data'>,
  costs: Costs,
  topology: Topology,
  seconds: number,
  repetitions: number,
): Promise<number> {
  const plan = { nodes: 2, threads: 1, topology, isLoopback: true, ownCores: true };
  const run = (await SharedRun.start(tiny, plan, seconds)) as SharedRun;
  const { stepMs } = await measureMedian(run, seconds, repetitions);
  const explained = predictStep(costs, costs.models[0] as ModelCosts, {
    nodes: 2,
    threads: 1,
    topology,
    groupSize: 1,
    batchSize: BENCH_BATCH,
    bitsPerSecond: Number.POSITIVE_INFINITY,
    latency: 0,
    sharedCores: costs.cores,
  });
  return Math.max(0, stepMs / 1000 - explained.step);
}

/** A line per model and number of threads, in microseconds. */
export function formatCosts({ message, step, models }: Costs): string[] {
  const us = (seconds: number): string => (1e6 * seconds).toFixed(1);
  const perMegabyte = (seconds: number): string => (1e12 * seconds).toFixed(0);
  const head = ['Model', 'Threads', 'Floats', 'us/step', 'us/shard', 'us/fold', 'us/update', 'us/order'];
  const rows = models.flatMap(({ model, floats, threads }) =>
    threads.map((one) => [
      model,
      String(one.threads),
      String(floats),
      ...[one.contributeBase, one.contributeShard, one.foldVector, one.updateVector, one.order].map(us),
    ]),
  );
  return [
    ...formatTable([head, ...rows], 'lrrrrrrr'),
    '',
    `A frame: ${us(message.send)} us to send and ${us(message.receive)} us to receive, with ${perMegabyte(message.sendByte)} and ${perMegabyte(message.receiveByte)} us for each MB.`,
    `A step of two nodes beyond that: ${us(step.star)} us (star), ${us(step.mesh)} us (mesh).`,
  ];
}
