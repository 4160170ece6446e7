/**
 * What runs in each worker thread: segments of training, and chunks of evaluation. Piscina calls the default export
 * once per task; a task lasts a whole segment.
 *
 *   contribute -> barrier -> reduce and update my slice -> barrier, commit -> next step
 */
import { workerData } from 'node:worker_threads';
import { inferLayers } from '@lockstep/core/model';
import { ALIGNMENT, averageDecay, gradientScale, samplesInStep } from '@lockstep/core/run';
import { AVERAGE_FIELDS, averageField, UPDATE_FIELDS, updateField } from '@lockstep/kernels';
import { type Engine, openStepCall, type StepCall } from '../engine.js';
import { createEngine } from '../engines.js';
import { planPieces, planStep, type StepPlan } from '../plan/step-plan.js';
import { tabulateUpdates } from '../plan/update-table.js';
import { CommandLoop } from './command-loop.js';
import { abortReason, Control } from './control.js';
import { readFault } from './fault.js';
import { openViews, type SaidViews } from './shared-views.js';
import { openSliceTools } from './slice-work.js';
import { StepClock, stepMark } from './step-clock.js';
import type { EvaluateTask, NodeTask, NodeWorkerData, TrainTask } from './thread-messages.js';

const data = openViews(workerData as SaidViews<NodeWorkerData>);
const { workers, splits } = data;
const control = new Control(data.control, workers, data.spins);
const fault = readFault(control);
const slices = openSliceTools(data, fault);
const { recipe, layout, memory, kernels, updater, epochSteps, squares, isFrozen } = slices;
const clock = data.clock && new StepClock(data.clock);
const fullStep = planStep(Math.min(recipe.batchSize, splits.train.count), recipe.shardSize, workers, memory);
const lastStep = planStep(
  samplesInStep(epochSteps - 1, splits.train.count, recipe.batchSize),
  recipe.shardSize,
  workers,
  memory,
);
const pieces = planPieces(layout, workers, isFrozen);
const engine: Engine = await createEngine(
  data.engine,
  { layers: inferLayers(data.model), layout, recipe, seed: data.seed, normalization: data.normalization },
  { arena: data.arena, order: data.order, kernels: data.kernels },
  splits.train,
);
fault?.('start', 0, 0);
const tools = { ...slices, control, engine };

export default function runTask(task: NodeTask): void {
  control.enter(task.worker);
  if (task.kind === 'train') train(task);
  else if (task.kind === 'serve') new CommandLoop(tools, task.worker).serve(task.seen);
  else evaluate(task);
  control.leave(task.worker);
}

function train({ worker, firstStep, endStep }: TrainTask): void {
  const updates = tabulateUpdates(recipe, memory, epochSteps, firstStep, endStep);
  const call = { ...openStepCall(memory, worker), epoch: Math.floor(firstStep / epochSteps) };
  const row = new Float64Array(UPDATE_FIELDS);
  for (let step = firstStep; step < endStep; step++) {
    const stepOfEpoch = step % epochSteps;
    const plan = stepOfEpoch === epochSteps - 1 ? lastStep : fullStep;
    clock?.mark(stepMark.began);
    contribute(call, plan, worker, step, stepOfEpoch);
    clock?.mark(stepMark.contributed);
    if (!control.meet(worker, -1)) return;
    clock?.mark(stepMark.met);
    if (recipe.clipNorm !== undefined) {
      addSquares(plan, worker);
      if (!control.meet(worker, -1)) return;
    }
    for (let i = 0; i < UPDATE_FIELDS; i++) row[i] = updates[(step - firstStep) * UPDATE_FIELDS + i] as number;
    update(row, plan, worker, step, stepOfEpoch);
    clock?.mark(stepMark.updated);
    // read before the barrier: after it, others may already be told to stop
    if (!control.meet(worker, step + 1)) return;
    clock?.mark(stepMark.committed);
    clock?.note(worker, step);
    if (data.stopAt[0] === step + 1) return;
  }
}

function contribute(call: StepCall, plan: StepPlan, worker: number, step: number, stepOfEpoch: number): void {
  fault?.('contribute', worker, step);
  const range = plan.ranges[worker];
  if (range && range.end > range.begin) {
    call.state = memory.stateAt(step % 2);
    call.firstShard = range.begin;
    call.endShard = range.end;
    call.samples = plan.samples;
    call.orderStart = stepOfEpoch * recipe.batchSize;
    call.step = step;
    engine.contribute(call);
  }
  fault?.('contributed', worker, step);
}

/** Finishes this worker's slice of the reduction and applies the optimizer to it. Worker 0 also keeps the books. */
function update(row: Float64Array, plan: StepPlan, worker: number, step: number, stepOfEpoch: number): void {
  fault?.('update', worker, step);
  row[updateField.samples] = plan.samples;
  if (recipe.clipNorm !== undefined)
    row[updateField.gradientScale] = gradientScale(recipe.clipNorm, sumInOrder(data.squareSums));
  kernels.update(updater, row, plan.partials, plan.fold, pieces[worker] as Int32Array);
  if (memory.hasAverage) moveAverage(worker, step);
  if (worker === 0) keepResult(step, stepOfEpoch);
  fault?.('updated', worker, step);
}

/** This worker's share of the gradient's norm; the sums are added up by every worker in the same order. */
function addSquares(plan: StepPlan, worker: number): void {
  const chunks = squares.chunks[worker] as Int32Array;
  const rounds = recipe.gradientPrecision === 'bf16';
  kernels.squares(updater, plan.samples, rounds, plan.partials, plan.fold, chunks, data.squareSums);
}

const sumInOrder = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

const averageBlock = new Float64Array(AVERAGE_FIELDS);

/** Moves the average of this worker's slice on to the state that it has just written. */
function moveAverage(worker: number, step: number): void {
  averageBlock[averageField.state] = memory.stateAt((step + 1) % 2);
  averageBlock[averageField.average] = memory.averageAt(step % 2);
  averageBlock[averageField.nextAverage] = memory.averageAt((step + 1) % 2);
  averageBlock[averageField.decay] = averageDecay(recipe.ema as number, recipe.emaWarmup === true, step + 1);
  kernels.average(updater, averageBlock, pieces[worker] as Int32Array);
}

function keepResult(step: number, stepOfEpoch: number): void {
  const at = memory.stateAt((step + 1) % 2) * ALIGNMENT + layout.resultOffset;
  const lossSum = data.arena[at] as number;
  data.results[2 * stepOfEpoch] = lossSum;
  data.results[2 * stepOfEpoch + 1] = data.arena[at + 1] as number;
  if (!Number.isFinite(lossSum)) control.abort(abortReason.notFinite);
  // one thread decides for all whether this is the last step, before anybody can pass the barrier
  if (control.isStopping) data.stopAt[0] = step + 1;
}

function evaluate({ worker, step, split, ofAverage, shards, chunkShards, results, logits }: EvaluateTask): void {
  const { count } = splits[split];
  const state = ofAverage ? memory.averageAt(step % 2) : memory.stateAt(step % 2);
  for (;;) {
    fault?.('evaluate', worker, step);
    const firstShard = control.takeChunk(worker) * chunkShards;
    if (firstShard >= shards) return;
    const endShard = Math.min(shards, firstShard + chunkShards);
    const call = { state, first: 0, count, firstShard, endShard, progress: memory.progressAt(worker) };
    engine.evaluate(call, splits[split], results, logits);
  }
}
