/** One training from scratch in a process of its own, timed from its start to its exit. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { LockstepError } from '@lockstep/core/errors';
import type { EndEvent } from '@lockstep/core/events';

export interface SprintOptions {
  readonly model: string;
  /** Name of the recipe. */
  readonly recipe: string;
  readonly seed: number;
  readonly workers: number;
  readonly data: string | undefined;
  readonly signal: AbortSignal;
}

export interface Sprint {
  readonly seed: number;
  /** On the test set, which is looked at once, when the training is over. */
  readonly accuracy: number;
  readonly correct: number;
  /** From the process's start to its exit. */
  readonly seconds: number;
  /** Of them, until the data are read and the first step is about to begin. */
  readonly startSeconds: number;
  readonly coreSeconds: number;
  readonly steps: number;
  readonly parametersSha256: string;
}

const PROCESS = fileURLToPath(new URL('../../sprint-process.js', import.meta.url));

/**
 * Runs `lockstep train` with the recipe, evaluated at the end alone.
 *
 * @returns undefined when the signal ended it
 * @throws LockstepError LOCKSTEP_SPEEDRUN_PROCESS when it ends without a result
 */
export async function runSprint(options: SprintOptions): Promise<Sprint | undefined> {
  const { model, recipe, seed, workers, data, signal } = options;
  const flags = ['--recipe', recipe, '--seed', String(seed), '--workers', String(workers), '--evaluate', 'end'];
  const source = data === undefined ? [] : ['--data', data];
  const args = ['train', model, ...flags, '--no-save', '--json', '--quiet', ...source];
  const began = performance.now();
  const since = (): number => (performance.now() - began) / 1000;
  const child = spawn(process.execPath, [PROCESS, ...args], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  const exit = once(child, 'exit');
  let startSeconds = 0;
  let coreSeconds = 0;
  let end: EndEvent | undefined;
  for await (const line of createInterface(child.stdout as Readable)) {
    const event = JSON.parse(line) as EndEvent | { event: 'start' } | { event: 'cost'; coreSeconds: number };
    if (event.event === 'start') startSeconds = since();
    if (event.event === 'cost') coreSeconds = event.coreSeconds;
    if (event.event === 'end') end = event;
  }
  const [code] = await exit;
  const seconds = since();
  signal.removeEventListener('abort', kill);
  if (signal.aborted) return undefined;
  if (code !== 0 || end?.reason !== 'completed') {
    const result = end === undefined ? 'no result' : `reason "${end.reason}"`;
    throw new LockstepError(
      'LOCKSTEP_SPEEDRUN_PROCESS',
      `the training of ${model} with seed ${seed} ended with code ${code} and ${result}. Its own message stands above; try it by hand: lockstep ${args.join(' ')}`,
    );
  }
  const { testAccuracy: accuracy, testCorrect: correct, steps, parametersSha256 } = end;
  return { seed, accuracy, correct, seconds, startSeconds, coreSeconds, steps, parametersSha256 };
}
