/** A node's one worker on the calling thread: the work of real ones, and simulated time that passes with it. */
import { inferLayers } from '@lockstep/core/model';
import { planContribution } from '@lockstep/core/run';
import { createEngine } from '@lockstep/worker';
import {
  type Command,
  CommandLoop,
  type Control,
  commandFlag,
  type NodeThreads,
  type NodeWorkerData,
  openSliceTools,
  type StepWorkers,
  type TailWatch,
} from '@lockstep/worker/threads';

/** Milliseconds that so many shards take. */
export type Pace = (shards: number) => number;

export class CallingThread implements NodeThreads, StepWorkers {
  hasTails = false;
  readonly #loop: Promise<CommandLoop>;
  #count = 0;

  constructor(
    data: NodeWorkerData,
    control: Control,
    private readonly pace: Pace,
  ) {
    this.#loop = openLoop(data, control);
  }

  command(): StepWorkers {
    return this;
  }

  open(): void {}

  async run(): Promise<undefined> {
    throw new Error('a simulated node only takes part in steps that are shared');
  }

  /** Shards are read at the beginning; that they take time shows in when they are there. */
  async carryOut(command: Command, onFolded?: () => void, tail?: TailWatch): Promise<void> {
    const loop = await this.#loop;
    this.hasTails = false;
    loop.carryOut(command, ++this.#count);
    if (command.flags & commandFlag.contribute) {
      const ms = this.pace(command.range.end - command.range.begin);
      await pause(ms / 2);
      this.hasTails = true;
      tail?.onTail();
      await pause(ms / 2);
    }
    onFolded?.();
  }

  async close(): Promise<void> {}
}

async function openLoop(data: NodeWorkerData, control: Control): Promise<CommandLoop> {
  const { model, recipe, seed, normalization, arena, order, kernels, splits, engine: name } = data;
  const layers = inferLayers(model);
  const task = { layers, layout: planContribution(layers), recipe, seed, normalization };
  const engine = await createEngine(name, task, { arena, order, kernels }, splits.train);
  return new CommandLoop({ ...openSliceTools(data, undefined), control, engine }, 0);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
