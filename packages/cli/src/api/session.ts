/** The front door: puts a coordinator and nodes together. What the commands, and programs that embed Lockstep, call. */
import { Coordinator, HeldFolder, Observers } from '@lockstep/coordinator/run';
import type { Dataset } from '@lockstep/core/data';
import type { EndEvent, NodeEvent, Prediction, RunEvent, WarningEvent } from '@lockstep/core/events';
import { listPredictions } from '@lockstep/core/events';
import type { ModelState } from '@lockstep/core/run';
import type { OnWarning, SplitName } from '@lockstep/core/seams';
import { isDivergence } from '@lockstep/core/seams';
import type { ModelSpec } from '@lockstep/core/spec';
import { recipeSchema } from '@lockstep/core/spec';
import { LocalNode } from '@lockstep/worker/node';
import { isPreempted } from '../terminal/ending.js';
import { farewellOf } from './farewell.js';
import type { OpenCluster } from './open-cluster.js';
import type { TrainRequest } from './train-request.js';

export type { Prediction } from '@lockstep/core/events';
export type { ModelState } from '@lockstep/core/run';
export type { TrainRequest } from './train-request.js';

export interface TrainResult {
  /** Parameters and batch-norm statistics, in the model's order. */
  readonly state: ModelState;
  /** The moving average of the state; only with `ema`. */
  readonly average?: ModelState;
}

/** Trains; yields what happens, returns the final state. */
export async function* train(request: TrainRequest): AsyncGenerator<RunEvent, TrainResult> {
  const { cluster } = request;
  const workers = Math.max(1, request.workers);
  const isSharing = cluster !== undefined;
  const observers = new Observers(request.observers ?? []);
  const isTimed = observers.wantsSteps;
  const onWarning: OnWarning = (warning) => emit({ event: 'warning', ...warning });
  const early: (NodeEvent | WarningEvent)[] = [];
  let coordinator: Coordinator | undefined;
  const emit = (event: NodeEvent | WarningEvent): void =>
    void (coordinator ? coordinator.emit(event) : early.push(event));
  let node: LocalNode | undefined;
  let open: OpenCluster | undefined;
  let heldFolder = request.heldFolder;
  let end: EndEvent | undefined;
  let failure: unknown;
  try {
    heldFolder ??= await takeFolder(request, onWarning);
    node = new LocalNode({ ...request, workers, isSharing, isTimed, onWarning });
    if (cluster !== undefined) {
      // Loaded here, so that a run of one node starts without what speaks to others.
      const { openCluster } = await import('./open-cluster.js');
      open = await openCluster(request, cluster, node, { isTimed, emit });
    }
    coordinator = new Coordinator({ ...request, heldFolder, observers }, open?.node ?? node);
    for (const event of early) coordinator.emit(event);
    for await (const event of coordinator.run()) {
      if (event.event === 'end') end = event;
      yield event;
    }
    await observers.close();
    for (const failure of observers.takeFailures()) yield { event: 'warning', ...failure };
    const average = node.readAverage();
    return { state: node.readState(), ...(average && { average }) };
  } catch (error) {
    observers.onFailed(error);
    failure = error;
    throw error;
  } finally {
    await observers.close();
    // started again, a run that has diverged would come to the same
    const isOver = isDivergence(failure) || (end !== undefined && end.reason !== 'interrupted');
    const goodbye = isOver || !comesBack(request) ? farewellOf(end, failure) : undefined;
    const { signal, tell } = request;
    await (open ? open.close(goodbye, { awaitsAll: isOver || failure !== undefined, signal, tell }) : node?.close());
    heldFolder?.release();
  }
}

/**
 * Takes the folder of a run's checkpoints, if it writes any: nobody else may write there until it is given back.
 *
 * @throws LockstepError as `HeldFolder.take`
 */
export async function takeFolder(
  { checkpoints, model, seed, resume }: Pick<TrainRequest, 'checkpoints' | 'model' | 'seed' | 'resume'>,
  onWarning: OnWarning,
): Promise<HeldFolder | undefined> {
  if (checkpoints === undefined) return undefined;
  return await HeldFolder.take(checkpoints.folder, { run: `${model.name}, seed ${seed}`, resume, onWarning });
}

/** Whether a run that ends before its end is going to be started again. */
const comesBack = ({ preemptible, signal }: TrainRequest): boolean =>
  preemptible === true && (signal === undefined || !signal.aborted || isPreempted(signal));

export interface EvaluateRequest {
  readonly model: ModelSpec;
  readonly dataset: Dataset;
  readonly split: SplitName;
  readonly state: ModelState;
  readonly workers: number;
  /** Whether the logits of every sample are wanted. */
  readonly logits?: boolean | undefined;
}

export interface EvaluateResult {
  /** Mean cross-entropy. */
  readonly loss: number;
  readonly correct: number;
  readonly total: number;
  /** One per sample, in order. */
  readonly predictions: Prediction[];
  /** [sample][classes], before any softmax; only if asked for. */
  readonly logits?: Float32Array | undefined;
}

/** Evaluates a state on a split. */
export async function evaluate(request: EvaluateRequest): Promise<EvaluateResult> {
  const { dataset, split, state } = request;
  const node = new LocalNode({ ...request, recipe: recipeSchema.parse({}), seed: 0, initial: state });
  try {
    const { loss, correct, total, predictions, logits } = await node.evaluate(split, { logits: request.logits });
    const { labels } = dataset[split];
    return {
      loss,
      correct,
      total,
      predictions: listPredictions(labels, predictions),
      logits,
    };
  } finally {
    await node.close();
  }
}
