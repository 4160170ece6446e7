/** A worker's side of a step that several nodes share: it carries out commands until it is told to leave. */
import { ALIGNMENT, dealShards, samplesInStep } from '@lockstep/core/run';
import { type Engine, openStepCall, type StepCall } from '../engine.js';
import { viewFloats } from '../plan/memory-plan.js';
import { type Command, CommandBlock, commandFlag } from './commands.js';
import type { Control } from './control.js';
import { type SliceTools, SliceWork } from './slice-work.js';

/** What a worker thread has, whoever tells it what to do. */
export interface WorkerTools extends SliceTools {
  readonly control: Control;
  readonly engine: Engine;
}

/** Loads before a thread sleeps, when it has a core of its own. */
const SPINS = 2000;
/** An idle worker shows so often that it is there. */
const IDLE_MS = 2000;

export class CommandLoop {
  readonly #commands: CommandBlock;
  readonly #slices: SliceWork;
  readonly #call: StepCall;

  constructor(
    private readonly tools: WorkerTools,
    private readonly worker: number,
  ) {
    this.#commands = new CommandBlock(tools.data.commands);
    this.#slices = new SliceWork(tools, worker, tools.data.workers);
    this.#call = openStepCall(tools.memory, worker);
  }

  /** @param seen commands that are done */
  serve(seen: number): void {
    const { data, control } = this.tools;
    for (let count = seen; ; count++) {
      while (!this.#commands.awaitNext(count, data.spins ? SPINS : 0, IDLE_MS)) {
        if (control.aborted !== 0) return;
        control.enter(this.worker, true);
      }
      const command = this.#commands.read();
      if (command.flags & commandFlag.leave) return;
      if (!this.carryOut(command, count + 1)) return;
      if (this.worker === 0) this.#commands.finish(count + 1, 'done');
    }
  }

  /** Whether the command was carried out; false after an abort. */
  carryOut(command: Command, count: number): boolean {
    const { flags } = command;
    const meet = (): boolean => this.tools.control.meet(this.worker, -1);
    if (flags & commandFlag.contribute) {
      this.#contribute(command);
      if (!meet()) return false;
    }
    if (flags & commandFlag.fold) {
      this.#slices.fold(command, command.jobs);
      if (!meet()) return false;
    }
    if (flags & (commandFlag.contribute | commandFlag.fold) && this.worker === 0)
      this.#commands.finish(count, 'folded');
    if (flags & commandFlag.squares) {
      this.#slices.addSquares(command.step);
      if (!meet()) return false;
    }
    if (flags & commandFlag.update) {
      this.#slices.update(command.step, command);
      if (!meet()) return false;
    }
    return true;
  }

  #samples(step: number): number {
    const { data, recipe, epochSteps } = this.tools;
    return samplesInStep(step % epochSteps, data.splits.train.count, recipe.batchSize);
  }

  #contribute({ step, state, range }: Command): void {
    const { recipe, engine, epochSteps, data, fault } = this.tools;
    fault?.('contribute', this.worker, step);
    const onTail = (): void => this.#commands.noteTail(data.workers);
    const own = dealShards(range.end - range.begin, data.workers)[this.worker];
    if (own && own.end > own.begin) {
      const call = this.#call;
      call.state = state;
      call.firstShard = range.begin + own.begin;
      call.endShard = range.begin + own.end;
      call.samples = this.#samples(step);
      call.orderStart = (step % epochSteps) * recipe.batchSize;
      call.step = step;
      call.epoch = Math.floor(step / epochSteps);
      engine.contribute(call, onTail);
    } else onTail();
    fault?.('contributed', this.worker, step, this.#sums);
  }

  get #sums() {
    const { data, memory } = this.tools;
    const { vector, partialsPerWorker } = memory;
    const length = vector * ALIGNMENT;
    return { floats: viewFloats(data.arena, memory.partialsAt(this.worker), partialsPerWorker * length), length };
  }
}
