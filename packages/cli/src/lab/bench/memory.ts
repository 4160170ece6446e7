/** `lockstep bench memory`: resident memory of training, each model and worker count in a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LockstepError } from '@lockstep/core/errors';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import { countOf, fixed } from '@lockstep/core/text';
import { formatTable } from '../../terminal/text-table.js';

/** What such a process is told. */
export interface MemoryTask {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly data: string | undefined;
  readonly workers: number;
}

/** What it answers, in bytes. */
export interface MemorySample {
  /** With the data loaded and no worker yet. */
  readonly beforeBytes: number;
  /** After some steps and an evaluation. */
  readonly afterBytes: number;
  readonly peakBytes: number;
}

export interface MemoryFigures extends MemorySample {
  readonly model: string;
  readonly workers: number;
}

/** Runs the task in a new process. */
export async function measureMemory(task: MemoryTask): Promise<MemoryFigures> {
  const child = fork(fileURLToPath(new URL('./memory-process.js', import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let sample: MemorySample | undefined;
  child.on('message', (message: MemorySample) => {
    sample = message;
  });
  const closed = once(child, 'close');
  child.send(task);
  const [code] = await closed;
  if (sample === undefined) {
    throw new LockstepError(
      'LOCKSTEP_BENCH_PROCESS',
      `the process that measures ${task.model.name} with ${countOf(task.workers, 'worker')} ended with code ${code} and no result. ` +
        'Its own message stands above; less memory than the model needs is the likely cause.',
    );
  }
  return { model: task.model.name, workers: task.workers, ...sample };
}

/** One line per model, a column per worker count. */
export function formatMemory(figures: readonly MemoryFigures[]): string[] {
  const counts = [...new Set(figures.map(({ workers }) => workers))];
  const models = [...new Set(figures.map(({ model }) => model))];
  const rows = models.map((model) => {
    const own = figures.filter((figure) => figure.model === model);
    const cell = (workers: number): string => formatMegabytes(own.find((f) => f.workers === workers)?.afterBytes);
    return [model, formatMegabytes(own[0]?.beforeBytes), ...counts.map(cell)];
  });
  const headings = ['RSS in MB', 'data only', ...counts.map((n) => countOf(n, 'worker'))];
  return formatTable([headings, ...rows], `lr${'r'.repeat(counts.length)}`);
}

const formatMegabytes = (bytes: number | undefined): string => (bytes === undefined ? '' : fixed(bytes / 1e6, 0));
