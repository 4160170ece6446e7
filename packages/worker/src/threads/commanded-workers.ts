/** A node's workers while the node shares its steps with others: gives them commands, and replaces those that are lost. */
import type { ContributionLayout } from '@lockstep/core/run';
import { type Command, CommandBlock, commandFlag } from './commands.js';
import type { Control } from './control.js';
import type { MemoryPlan } from './memory-plan.js';
import type { NodeTask, NodeWorkerData } from './thread-messages.js';
import type { LostWorker } from './worker-pool.js';

/** What a local node lends to the steps it shares. */
export interface SharedParts {
  readonly data: NodeWorkerData;
  readonly layout: ContributionLayout;
  readonly memory: MemoryPlan;
  readonly control: Control;
  /** Runs one task per worker; resolves when nobody is in a task, with the worker that was lost, if one was. */
  runTasks(taskOf: (worker: number) => NodeTask): Promise<LostWorker | undefined>;
  /** @throws LockstepError when too many were lost in a row */
  reportLoss(lost: LostWorker, losses: number): void;
  /** Makes the order of images the one of this epoch. No worker may be computing. */
  prepareEpoch(epoch: number): void;
  /** Whether the float at an offset belongs to what is frozen, of which contributions say nothing. */
  isFrozenAt(offset: number): boolean;
}

/** For who uses the tails of contributions while the shards are still computed. */
export interface TailWatch {
  readonly onTail: () => void;
  /** A worker was lost: resolves when nothing reads the tails any more, which are computed again. */
  readonly beforeAgain: () => Promise<void>;
}

export class CommandedWorkers {
  readonly #commands: CommandBlock;
  #beforeAgain: (() => Promise<void>) | undefined;
  #serving: Promise<void> | undefined;
  #pending: Command | undefined;
  #losses = 0;
  #failure: unknown;

  constructor(private readonly parts: SharedParts) {
    this.#commands = new CommandBlock(parts.data.commands);
  }

  /** Sends the workers into their task; they are there until `close`. */
  open(): void {
    this.#serving ??= this.#serve();
  }

  async close(): Promise<void> {
    if (!this.#serving) return;
    this.#commands.give({ ...IDLE, flags: commandFlag.leave });
    await this.#serving;
    this.#serving = undefined;
  }

  /**
   * Has a command carried out; one at a time. A worker that is lost on the way is replaced and the command given again:
   * every command writes what does not depend on what it wrote before.
   *
   * @param onFolded called when the shards and sums of the command are there, before its update
   * @param tail of the shards, if somebody wants it before they are done
   */
  async carryOut(command: Command, onFolded?: () => void, tail?: TailWatch): Promise<void> {
    this.open();
    this.#pending = command;
    this.#beforeAgain = tail?.beforeAgain;
    const count = this.#commands.give(command);
    if (tail) void this.#commands.awaitTails(count, this.parts.data.workers).then(tail.onTail);
    if (onFolded) {
      await this.#commands.awaitDone(count, 'folded');
      if (this.#failure === undefined) onFolded();
    }
    await this.#commands.awaitDone(count, 'done');
    if (this.#failure !== undefined) throw this.#failure;
    this.#pending = undefined;
    this.#losses = 0;
  }

  /** Whether the command that is being carried out computes shards that are final in their tails. */
  get hasTails(): boolean {
    return this.#commands.hasTails(this.parts.data.workers);
  }

  async #serve(): Promise<void> {
    const { control } = this.parts;
    for (;;) {
      const seen = this.#commands.count - (this.#pending ? 1 : 0);
      control.begin(control.committed);
      const lost = await this.parts.runTasks((worker) => ({ kind: 'serve', worker, seen }));
      if (lost === undefined) return;
      try {
        this.parts.reportLoss(lost, ++this.#losses);
        this.#commands.forgetTails();
        await this.#beforeAgain?.();
      } catch (error) {
        this.#failure = error;
        this.#commands.release();
        return;
      }
    }
  }
}

const IDLE: Command = { flags: 0, step: 0, state: 0, range: { begin: 0, end: 0 }, offset: 0, length: 0, jobs: [] };
