/** The threads of a node, over Piscina: one task each at a time, and the end of all tasks when one of them is lost. */

import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { fixed } from '@lockstep/core/text';
import { Piscina } from 'piscina';
import { CommandedWorkers } from './commanded-workers.js';
import { abortReason, type Control } from './control.js';
import { sayViews } from './shared-views.js';
import { StallWatch } from './stall-watch.js';
import type { LostWorker, NodeThreads, ReportLoss } from './step-workers.js';
import type { NodeTask, NodeWorkerData } from './thread-messages.js';

/** What Node gives as the id of a thread that has ended. */
const NO_THREAD = -1;

export class WorkerPool implements NodeThreads {
  readonly #pool: Piscina<NodeTask, void>;
  #aborts: readonly AbortController[] = [];

  constructor(
    private readonly data: NodeWorkerData,
    private readonly control: Control,
  ) {
    this.#pool = new Piscina<NodeTask, void>({
      filename: new URL('./worker-thread.js', import.meta.url).href,
      minThreads: data.workers,
      maxThreads: data.workers,
      workerData: sayViews(data),
      idleTimeout: Number.POSITIVE_INFINITY,
    });
    // A thread that cannot even start leaves the tasks that wait for it in the queue for ever.
    this.#pool.on('error', (error: Error) => {
      for (const abort of this.#aborts) abort.abort(error);
    });
  }

  async run(taskOf: (worker: number) => NodeTask): Promise<LostWorker | undefined> {
    const threads = this.#pool.threads;
    const aborts = Array.from({ length: this.data.workers }, () => new AbortController());
    this.#aborts = aborts;
    const onStall = (worker: number, stoodMs: number): void =>
      aborts[worker]?.abort(new Error(`worker ${worker} did not move for ${fixed(stoodMs / 1000, 1)} s`));
    const watch = new StallWatch(this.control, this.data.progress, onStall, this.data.recipe.shardSize);
    let lost: LostWorker | undefined;
    const tasks = aborts.map(async ({ signal }, worker) => {
      try {
        await this.#pool.run(taskOf(worker), { signal });
      } catch (error) {
        lost ??= { worker, error: (signal.aborted ? signal.reason : error) as Error };
        this.control.abort(abortReason.workerLost);
      }
    });
    await Promise.all(tasks);
    watch.end();
    const gone = threads.filter((thread) => !this.#pool.threads.includes(thread));
    await Promise.all(gone.map(awaitExit));
    return lost;
  }

  command(reportLoss: ReportLoss): CommandedWorkers {
    const { data, control } = this;
    return new CommandedWorkers({ data, control, reportLoss, runTasks: (taskOf) => this.run(taskOf) });
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/**
 * A thread that was sent away may still be in a kernel for a moment, and write into the arena: nothing may go on before
 * it has ended.
 */
async function awaitExit(thread: Worker): Promise<void> {
  if (thread.threadId !== NO_THREAD) await once(thread, 'exit');
}
