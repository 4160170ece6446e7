/**
 * What the coordinator drives: a node holds a replica of the state and computes with its own workers. There are two
 * kinds, the node in the coordinator's own process and the far end of a connection.
 */

import type { LockstepError } from '../errors/errors.js';
import type { Evaluation, WarningEvent } from '../events/events.js';
import type { DoubtedSteps, NodeShare } from '../events/node-events.js';
import type { StepTimes } from '../events/step-times.js';
import type { ModelState } from '../run/contribution.js';
import type { ShardRange } from '../run/shards.js';
import type { Frame } from '../wire/frames.js';
import type { Link } from '../wire/link.js';
import type { Assignment } from '../wire/messages.js';
import type { Beginning } from './beginning.js';

/** What computes; the first is the default. */
export const engineNames = ['native', 'tensorflow'] as const;
export type EngineName = (typeof engineNames)[number];

/** Which builds of the native engine's kernels may be taken: the best there is, those compiled here, or WebAssembly's. */
export const kernelChoices = ['auto', 'native', 'wasm'] as const;
export type KernelChoice = (typeof kernelChoices)[number];

/** The coordinator's own node; the others count from 1. */
export const COORDINATOR_ID = 0;

/** Steps [firstStep, endStep) of one epoch, run without a message in between. */
export interface SegmentPlan {
  /** From 0. */
  readonly epoch: number;
  /** Global steps, from 0. */
  readonly firstStep: number;
  readonly endStep: number;
}

/** How far a running segment has come. */
export interface SegmentProgress {
  /** Steps of the run that are committed. */
  readonly committed: number;
  /** Mean training loss of the last committed step. */
  readonly stepLoss: number;
  /** Sums over the committed steps of this epoch, added in the order of steps. */
  readonly lossSum: number;
  readonly correct: number;
  readonly samples: number;
}

export type SplitName = 'train' | 'validation' | 'test';

export interface EvaluatedSplit extends Evaluation {
  /** [sample][predicted class, its probability]. */
  readonly predictions: Float32Array;
  /** [sample][classes], before any softmax; only if asked for. */
  readonly logits?: Float32Array | undefined;
}

export interface EvaluateOptions {
  /** Whether the logits of every sample are wanted. */
  readonly logits?: boolean | undefined;
  /** Evaluate the moving average of the state instead; the recipe must have `ema`. */
  readonly average?: boolean | undefined;
}

/** All that a node needs to go on after a step, in any number of workers; vectors are in the contribution's layout. */
export interface NodeSnapshot {
  /** Steps of the run that are committed. */
  readonly step: number;
  /** Parameters and running statistics. */
  readonly state: Float32Array;
  /** The optimizer's, `optimizerSlots(recipe.optimizer)` of them. */
  readonly slots: readonly Float32Array[];
  /** The moving average of the state, if the recipe has `ema`. */
  readonly average?: Float32Array | undefined;
  /** [step of the epoch][loss sum, correct count] of the committed steps of the epoch that is under way. */
  readonly results: Float32Array;
}

export interface TrainingNode {
  readonly workers: number;
  /** For people: `native (avx512)`. */
  readonly engine: string;
  /**
   * Runs a segment; resolves when its steps are committed, or earlier after `stop`, at the end of a step, and where the run
   * went back: maybe to before the segment.
   */
  train(segment: SegmentPlan): Promise<SegmentProgress>;
  /** Of the running or last segment. */
  progress(): SegmentProgress;
  /** Lets a running segment end after the step it is in. */
  stop(): void;
  /** Evaluates the committed state. */
  evaluate(split: SplitName, options?: EvaluateOptions): Promise<EvaluatedSplit>;
  /** A copy of the committed state. */
  readState(): ModelState;
  /** A copy of the committed moving average; undefined without `ema`. */
  readAverage(): ModelState | undefined;
  /** See `RunView.readGradient`. */
  readGradient(): readonly Float32Array[] | undefined;
  /** Where the time of the steps went that ended since the last call; nothing unless the node was made to note it. */
  takeSteps(): StepTimes[];
  /** A copy of all that is committed. No segment may be running. */
  readSnapshot(): NodeSnapshot | Promise<NodeSnapshot>;
  /** Goes on from a snapshot, which may come from another node. No segment may be running. */
  restore(snapshot: NodeSnapshot): void | Promise<void>;
  /** The nodes that share the steps, if there are several. */
  describeNodes?(): NodeShare[];
  /** Steps after which the run may go back to be computed again, ascending. */
  waysBack?(): readonly number[];
  /**
   * The run has come to numbers that are not finite. Goes back to before sums that may have led there, to compute them again;
   * no segment may be running.
   *
   * @returns steps committed now; undefined: nothing is left to compute again, the run has diverged
   */
  retrace?(): number | undefined;
  /** Steps of this process that hold sums of nodes which were found lying later. */
  doubted?(): readonly DoubtedSteps[];
  /** Steps of this process that hold sums of other nodes which were not computed again. */
  unaudited?(): NonNullable<Beginning['unaudited']>;
  /** Ends the workers. */
  close(): Promise<void>;
}

/** What a replica has after a step that several nodes shared. */
export interface StepOutcome {
  readonly lossSum: number;
  readonly correct: number;
  /** Until its shards were computed, of what followed in sums and updates, and until the new state was complete. */
  readonly computeMs: number;
  /** Until the floats from the engine's tail on were final, which travel while the others are computed; 0: it has none. */
  readonly tailMs: number;
  readonly updateMs: number;
  /** Sums and updates of the tail, while the other shards were computed. */
  readonly besideMs: number;
  /** From the first sums sent to others until the new state was complete, beside computing or not; 0 if none were sent. */
  readonly exchangeMs: number;
  readonly stepMs: number;
  /** Of the new state, if asked for. */
  readonly hash: string | undefined;
}

export interface StepHooks {
  /** The steps before it are over, and this one begins. */
  onBegan?(assignment: Assignment): void;
  /** Told every two seconds while its shards are computed and its kernels go on. */
  onComputing?(assignment: Assignment): void;
  /** The node's shards are computed. */
  onContributed(assignment: Assignment, computeMs: number): void;
  /** Another node broke a rule. */
  onFault(node: number, error: LockstepError): void;
}

/** A step, or an attempt at it, ended because another began. */
export class SupersededError extends Error {}

/** One replica's part in the steps that several nodes share. */
export interface StepParticipant {
  /**
   * Takes part in a step, when those before it are over: it may be told while the one before is under way. Another
   * attempt at it, or at one before it, that is under way or told, ends.
   *
   * @param audits partials of others to compute again, and compare
   * @throws SupersededError when such an attempt ended this one
   */
  run(assignment: Assignment, audits?: readonly ShardRange[]): Promise<StepOutcome>;
  /** Says what will be run next, without audits: its shards may be computed as soon as the step before it is over. */
  foretell(assignment: Assignment): void;
  /**
   * Takes a `partial` or `reduced` frame of another node.
   *
   * @throws LockstepError LOCKSTEP_NODE_CONTRIBUTION or LOCKSTEP_NODE_NOT_FINITE when it breaks a rule
   */
  receive(from: number, frame: Frame): void;
  /** Ends a step that is under way. */
  cancel(): void;
  /** Ends a step that is under way, and resolves when its workers are idle. */
  settle(): Promise<void>;
  /** Nodes of which something is still to come in the step that is under way, or that have not taken in what was sent. */
  waitsFor(): number[];
  /** The connection to a node is lost. */
  forget(node: number): void;
  /** Puts the workers at the disposal of steps. */
  open(): void;
  /** Gives them back; no step is under way after it. */
  close(): Promise<void>;
}

/** A node that can share its steps with others. */
export interface SharingNode extends TrainingNode {
  /** @param linkTo the connection to a node, if there is one */
  share(me: number, linkTo: (node: number) => Link | undefined, hooks: StepHooks): StepParticipant;
  /** Takes a shared step into the books: its replica is at this step now. */
  commit(steps: number, lossSum: number, correct: number): void;
  /** Hash of a canned shard's contribution: the same for every build of the kernels. No segment may be running. */
  selfTest(): Promise<string>;
  readSnapshot(): NodeSnapshot;
  restore(snapshot: NodeSnapshot): void;
  /** What the run began with, before its first step. */
  initialSnapshot(): NodeSnapshot;
  /** As the start of a segment, for steps that are shared. */
  beginShared(segment: SegmentPlan): void;
}

/** Where a node reports what a person should know. */
export type OnWarning = (warning: Omit<WarningEvent, 'event'>) => void;
