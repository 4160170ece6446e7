/**
 * The threads of a node that begins with the kernels in WebAssembly, while those for this machine are still compiled: it
 * goes over to them between two steps. The memory stays, and so do the bits.
 */
import { findIsa, type Isa, type KernelMemory, openMemory } from '@lockstep/kernels';
import type { CommandedWorkers } from './commanded-workers.js';
import type { Control } from './control.js';
import type { LostWorker, NodeThreads, ReportLoss } from './step-workers.js';
import type { NodeTask, NodeWorkerData } from './thread-messages.js';
import { WorkerPool } from './worker-pool.js';

/** Has the kernels for this machine compiled. Resolves with undefined when they are there, else with why they are not. */
export type CompileKernels = () => Promise<string | undefined>;

export const notCompiled = (reason: string): string => `those for this machine were not compiled: ${reason}`;

export interface LaterKernelsHooks {
  readonly compileKernels: CompileKernels;
  /** These compute from now on. */
  readonly onGoneOver: (isa: Isa) => void;
  /** There will be no better ones, and why. */
  readonly onStaying: (reason: string) => void;
}

export class LaterThreads implements NodeThreads {
  #pool: WorkerPool;
  #better: KernelMemory | undefined;
  #isClosed = false;

  constructor(
    private readonly data: NodeWorkerData,
    private readonly control: Control,
    private readonly hooks: LaterKernelsHooks,
  ) {
    this.#pool = new WorkerPool(data, control);
    this.#await().catch((error: Error) => hooks.onStaying(error.message));
  }

  async #await(): Promise<void> {
    // another set-up may have made them just before this run has begun
    if (this.data.kernels.wasm === undefined) return;
    const reason = await this.hooks.compileKernels();
    if (this.#isClosed) return;
    if (reason !== undefined) {
      this.hooks.onStaying(notCompiled(reason));
      return;
    }
    const isa = findIsa();
    if (isa === this.data.kernels.isa) {
      this.hooks.onStaying('none of those for this machine is faster');
      return;
    }
    this.#better = openMemory(isa);
    // the node begins the rest of its segment, if it is in one, with another task
    this.control.stop();
  }

  async run(taskOf: (worker: number) => NodeTask): Promise<LostWorker | undefined> {
    if (this.#better) await this.#goOver(this.#better);
    return this.#pool.run(taskOf);
  }

  async #goOver(kernels: KernelMemory): Promise<void> {
    this.#better = undefined;
    await this.#pool.close();
    this.#pool = new WorkerPool({ ...this.data, kernels }, this.control);
    this.hooks.onGoneOver(kernels.isa);
  }

  command(reportLoss: ReportLoss): CommandedWorkers {
    return this.#pool.command(reportLoss);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool.close();
  }
}
