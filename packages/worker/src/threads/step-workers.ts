/** What computes for a node, seen from its main thread: threads, or in a simulation of many nodes the calling thread. */
import type { ContributionLayout } from '@lockstep/core/run';
import type { MemoryPlan } from '../plan/memory-plan.js';
import type { Command } from './commands.js';
import type { Control } from './control.js';
import type { NodeTask, NodeWorkerData } from './thread-messages.js';

/** A worker that threw, exited or stood still. */
export interface LostWorker {
  readonly worker: number;
  readonly error: Error;
}

/** @throws LockstepError when too many were lost in a row */
export type ReportLoss = (lost: LostWorker, losses: number) => void;

/** The workers of a node. */
export interface NodeThreads {
  /**
   * Runs one task per worker. When it resolves nobody is in a task any more.
   *
   * @returns the worker that was lost first, if one was; another is in its place
   */
  run(taskOf: (worker: number) => NodeTask): Promise<LostWorker | undefined>;
  /** The same workers, for steps that the node shares with others. */
  command(reportLoss: ReportLoss): StepWorkers;
  /** Ends them. */
  close(): Promise<void>;
}

/** For who uses the tails of contributions while the shards are still computed. */
export interface TailWatch {
  readonly onTail: () => void;
  /** A worker was lost: resolves when nothing reads the tails any more, which are computed again. */
  readonly beforeAgain: () => Promise<void>;
}

/** Workers that wait for commands. */
export interface StepWorkers {
  /** Sends the workers into their task; they are there until `close`. */
  open(): void;
  close(): Promise<void>;
  /**
   * Has a command carried out; one at a time. A worker that is lost on the way is replaced and the command given again:
   * every command writes what does not depend on what it wrote before.
   *
   * @param onFolded called when the shards and sums of the command are there, before its update
   * @param tail of the shards, if somebody wants it before they are done
   */
  carryOut(command: Command, onFolded?: () => void, tail?: TailWatch): Promise<void>;
  /** Whether the command that is being carried out computes shards that are final in their tails. */
  readonly hasTails: boolean;
}

/** What a local node lends to the steps it shares. */
export interface SharedParts {
  readonly data: NodeWorkerData;
  readonly layout: ContributionLayout;
  readonly memory: MemoryPlan;
  readonly control: Control;
  readonly workers: StepWorkers;
  /** Makes the order of images the one of this epoch. No worker may be computing. */
  prepareEpoch(epoch: number): void;
  /** Whether the float at an offset belongs to what is frozen, of which contributions say nothing. */
  isFrozenAt(offset: number): boolean;
}
