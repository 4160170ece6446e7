/** What a run tells while it goes: the coordinator emits these, front ends print, plot or store them. */
import type { Recipe } from '../spec/recipe.js';
import type { DataEvent } from './data-report.js';

/** Result of an evaluation over a whole split. */
export interface Evaluation {
  /** Mean cross-entropy. */
  readonly loss: number;
  /** correct / total. */
  readonly accuracy: number;
  readonly correct: number;
  readonly total: number;
}

/** The moving average of the state, evaluated; only with `ema`. */
export interface AverageEvaluation {
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly testCorrect: number;
  readonly testTotal: number;
  readonly validation?: Evaluation;
}

export interface StartEvent {
  readonly event: 'start';
  readonly model: string;
  /** Number of learned values. */
  readonly parameters: number;
  readonly workers: number;
  /** `native (avx512)` and the like. */
  readonly engine: string;
  /** Where the data came from, for people. */
  readonly data: string;
  readonly trainSamples: number;
  readonly validationSamples: number;
  readonly testSamples: number;
  readonly seed: number;
  readonly stepsPerEpoch: number;
  /** Steps that were done before, in the run that is resumed. */
  readonly resumedStep?: number;
  readonly recipe: Recipe;
}

/** Cheap and frequent, for a progress bar; at most a few per second. Not part of `--json`. */
export interface ProgressEvent {
  readonly event: 'progress';
  /** From 1. */
  readonly epoch: number;
  /** Steps of this epoch that are committed. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly learningRate: number;
  /** Mean training loss of the last committed step. */
  readonly loss: number;
  /** Mean training loss over this epoch so far. */
  readonly trainLoss: number;
  /** Training accuracy of this epoch so far. */
  readonly accuracy: number;
  /** Seconds since this epoch began. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Of a run with several nodes. */
  readonly nodes?: readonly NodeShare[];
}

export interface EpochEvent {
  readonly event: 'epoch';
  /** From 1. */
  readonly epoch: number;
  /** Rate of the epoch's last step. */
  readonly learningRate: number;
  /** Mean over the epoch, with dropout and augmentation on. */
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  /** Mean over its last batch; not in what was recorded by earlier versions. */
  readonly lastLoss?: number;
  readonly validation?: Evaluation;
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly testCorrect: number;
  readonly testTotal: number;
  readonly ema?: AverageEvaluation;
  /** Training seconds of the epoch, evaluation and checkpoints left out. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

/** A checkpoint is on the disk. */
export interface CheckpointEvent {
  readonly event: 'checkpoint';
  readonly path: string;
  readonly step: number;
  /** Whether it is the best so far by the run's metric. */
  readonly isBest: boolean;
}

/** Something a person should know; the run goes on. */
export interface WarningEvent {
  readonly event: 'warning';
  readonly code: `LOCKSTEP_${string}`;
  readonly message: string;
  /** The worker that was replaced, from 0; only with LOCKSTEP_WORKER_REPLACED. */
  readonly worker?: number;
}

/** The run stands still because somebody asked for it. */
export interface PausedEvent {
  readonly event: 'paused';
  /** Steps committed. */
  readonly step: number;
}

/** It goes on. */
export interface ResumedEvent {
  readonly event: 'resumed';
  readonly step: number;
}

/** Something happened to the nodes of the run; the result does not depend on it. */
export interface NodeJoinedEvent {
  readonly event: 'node-joined';
  readonly node: string;
  readonly address: string;
  readonly workers: number;
  readonly engine: string;
  /** First step that it takes part in, from 0. */
  readonly step: number;
}

export interface NodeLeftEvent {
  readonly event: 'node-left';
  readonly node: string;
  readonly address: string;
  readonly step: number;
  readonly reason: string;
}

/** A node that was sent away. */
export interface NodeEvictedEvent {
  readonly event: 'node-evicted';
  readonly node: string;
  readonly address: string;
  readonly step: number;
  readonly code: string;
  readonly reason: string;
}

/** A node that another says has broken a rule: the step is begun again where the coordinator sees all sums itself. */
export interface NodeDoubtedEvent {
  readonly event: 'node-doubted';
  readonly node: string;
  /** Who says so; the node itself where its finished sums are not numbers, which may be another's fault. */
  readonly by: string;
  readonly step: number;
  readonly reason: string;
}

/** With --audit: the states that are kept in memory to go back to, until who joined there is checked. */
export interface StatesKeptEvent {
  readonly event: 'states-kept';
  /** After how many steps each was, ascending; none: nothing is kept any more. */
  readonly at: readonly number[];
  /** Of all of them. */
  readonly bytes: number;
}

/**
 * With --audit: a node was found lying, and all that it has had a part in is computed again without it. Or the run has come
 * to numbers that are not finite, and what other nodes had a part in is computed again by the coordinator too.
 */
export interface WentBackEvent {
  readonly event: 'went-back';
  /** That was found lying; absent: nobody was, the run has come to numbers that are not finite. */
  readonly node?: string;
  /** Steps committed now: from before that. What was told of later ones does not count any more. */
  readonly step: number;
  /** Epochs completed now. */
  readonly epochs: number;
  /** Steps that had been committed. */
  readonly from: number;
}

/** Steps [firstStep, endStep). */
export interface StepSpan {
  readonly firstStep: number;
  readonly endStep: number;
}

/** Steps that hold sums of a node which was found lying later, and that nobody has computed again. */
export interface DoubtedSteps extends StepSpan {
  readonly node: string;
}

/** Without --audit: a node was found lying, and nobody computes again what it has had a part in. */
export interface StepsDoubtedEvent extends DoubtedSteps {
  readonly event: 'steps-doubted';
}

/** Strikes of nodes were taken back, by `lockstep peers --pardon`. */
export interface NodePardonedEvent {
  readonly event: 'node-pardoned';
  /** The name, or the address, that was pardoned. */
  readonly node: string;
  /** Who asked for it. */
  readonly address: string;
  /** Nodes that go by that name or come from that address. */
  readonly count: number;
}

/** A connection that did not become a node. */
export interface NodeRefusedEvent {
  readonly event: 'node-refused';
  readonly address: string;
  readonly code: string;
  readonly reason: string;
  /** Others since the last event of this kind, which came too fast to be told one by one. */
  readonly more?: number;
}

/** Shards per full step are dealt out anew. */
export interface RebalancedEvent {
  readonly event: 'rebalanced';
  readonly step: number;
  readonly shards: readonly { readonly node: string; readonly shards: number }[];
}

/** The run stands still until a node comes. */
export interface WaitingEvent {
  readonly event: 'waiting';
  readonly nodes: number;
  readonly needed: number;
  readonly reason: string;
}

/** The port is open. */
export interface ListeningEvent {
  readonly event: 'listening';
  /** `ws://10.0.0.5:7400`; with the host that was asked for, which may stand for every address. */
  readonly url: string;
  /** Under which other machines reach it; empty when it listens for this machine alone. */
  readonly reachable: readonly string[];
  /** What a node needs beside the address: `--token-file secret`; empty if nothing. */
  readonly flags: string;
}

export type NodeEvent =
  | ListeningEvent
  | NodeJoinedEvent
  | NodeLeftEvent
  | NodeEvictedEvent
  | NodeDoubtedEvent
  | StatesKeptEvent
  | WentBackEvent
  | StepsDoubtedEvent
  | NodeRefusedEvent
  | NodePardonedEvent
  | RebalancedEvent
  | WaitingEvent;

/** A node as the progress shows it. */
export interface NodeShare {
  readonly node: string;
  /** Shards of a full step. */
  readonly shards: number;
  readonly imagesPerSecond: number;
  /** Share of its step that the node spent on communication, beside what it did while it was computing. */
  readonly communication: number;
  /** Milliseconds of a step from the first sums that the node sent until it had applied it; 0 if it sends none. */
  readonly exchangeMs: number;
}

export interface EndEvent {
  readonly event: 'end';
  /** Epochs completed. */
  readonly epochs: number;
  /** Steps committed. */
  readonly steps: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly testCorrect: number;
  readonly testTotal: number;
  readonly validation?: Evaluation;
  /** SHA-256 over the float32 parameters and batch-norm statistics, little-endian, in the model's order. */
  readonly parametersSha256: string;
  readonly ema?: AverageEvaluation;
  /** The same of the moving average. */
  readonly emaSha256?: string;
  readonly seconds: number;
  /** Why the run ended: `stopped` by whoever asked for it (a page's Stop), `interrupted` from outside. */
  readonly reason: 'completed' | 'steps' | 'until' | 'patience' | 'stopped' | 'interrupted';
  /** The signal that interrupted it, such as `SIGTERM`. */
  readonly signal?: string;
  /** What of the result nobody can vouch for. */
  readonly doubted?: readonly DoubtedSteps[];
  /** With --audit: steps of this process that hold sums of other nodes which chance did not choose to be computed again. */
  readonly unaudited?: StepSpan;
}

export type RunEvent =
  | StartEvent
  | DataEvent
  | NodeEvent
  | ProgressEvent
  | PausedEvent
  | ResumedEvent
  | EpochEvent
  | CheckpointEvent
  | WarningEvent
  | EndEvent;
