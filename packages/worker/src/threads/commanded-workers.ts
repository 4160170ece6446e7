/** A node's workers while the node shares its steps with others: gives them commands, and replaces those that are lost. */
import { type Command, CommandBlock, commandFlag } from './commands.js';
import type { Control } from './control.js';
import type { LostWorker, ReportLoss, StepWorkers, TailWatch } from './step-workers.js';
import type { NodeTask, NodeWorkerData } from './thread-messages.js';

/** The node whose threads carry commands out. */
interface Commanded {
  readonly data: NodeWorkerData;
  readonly control: Control;
  readonly runTasks: (taskOf: (worker: number) => NodeTask) => Promise<LostWorker | undefined>;
  readonly reportLoss: ReportLoss;
}

export class CommandedWorkers implements StepWorkers {
  readonly #commands: CommandBlock;
  #beforeAgain: (() => Promise<void>) | undefined;
  #serving: Promise<void> | undefined;
  #pending: Command | undefined;
  #losses = 0;
  #failure: unknown;

  constructor(private readonly node: Commanded) {
    this.#commands = new CommandBlock(node.data.commands);
  }

  open(): void {
    this.#serving ??= this.#serve();
  }

  async close(): Promise<void> {
    if (!this.#serving) return;
    this.#commands.give({ ...IDLE, flags: commandFlag.leave });
    await this.#serving;
    this.#serving = undefined;
  }

  async carryOut(command: Command, onFolded?: () => void, tail?: TailWatch): Promise<void> {
    this.open();
    this.#pending = command;
    this.#beforeAgain = tail?.beforeAgain;
    const count = this.#commands.give(command);
    if (tail) void this.#commands.awaitTails(count, this.node.data.workers).then(tail.onTail);
    if (onFolded) {
      await this.#commands.awaitDone(count, 'folded');
      if (this.#failure === undefined) onFolded();
    }
    await this.#commands.awaitDone(count, 'done');
    if (this.#failure !== undefined) throw this.#failure;
    this.#pending = undefined;
    this.#losses = 0;
  }

  get hasTails(): boolean {
    return this.#commands.hasTails(this.node.data.workers);
  }

  async #serve(): Promise<void> {
    const { control } = this.node;
    for (;;) {
      const seen = this.#commands.count - (this.#pending ? 1 : 0);
      control.begin(control.committed);
      const lost = await this.node.runTasks((worker) => ({ kind: 'serve', worker, seen }));
      if (lost === undefined) return;
      try {
        this.node.reportLoss(lost, ++this.#losses);
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
