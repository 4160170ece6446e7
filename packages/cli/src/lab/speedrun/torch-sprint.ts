/** The same network under the same recipe in PyTorch, on the same machine: tools/peers/train_torch.py of the checkout. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { findCacheFolder } from '@lockstep/core/files';
import { inferLayers } from '@lockstep/core/model';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';

const SCRIPT = fileURLToPath(new URL('../../../../../tools/peers/train_torch.py', import.meta.url));

export interface TorchOptions {
  /** The interpreter. */
  readonly python: string;
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly threads: number;
  readonly data: string | undefined;
  /** PyTorch's name of what computes: cpu, cuda. */
  readonly device: string;
  /** When the test images are looked at. */
  readonly evaluate: 'epochs' | 'end';
  readonly signal: AbortSignal;
}

export interface TorchSprint {
  readonly seed: number;
  /** Test images right at the end, and after each epoch if those were asked for. */
  readonly correct: number;
  readonly epochs: readonly number[];
  /** Loss of the last batch of each epoch, as it trained, if epochs were asked for. */
  readonly lastLosses: readonly number[];
  readonly accuracy: number;
  /** From the process's start to its exit. */
  readonly seconds: number;
  /** PyTorch's version. */
  readonly version: string;
}

/** A network as the peers build it: its layers with the shapes that go in and come out. */
export const describeNetwork = (model: ModelSpec) => ({
  name: model.name,
  input: model.input,
  layers: inferLayers(model).map(({ spec, input, output, isFlat }) => ({ ...spec, input, output, isFlat })),
});

/** Trains in PyTorch; why that cannot be done, where it cannot; undefined when the signal ended it. */
export async function runTorchSprint(
  options: TorchOptions,
): Promise<TorchSprint | { readonly missing: string } | undefined> {
  const { python, model, recipe, seed, threads, device, evaluate, signal } = options;
  if (!existsSync(SCRIPT)) return { missing: 'tools/peers/train_torch.py is part of the checkout, not of the package' };
  const data = options.data ?? join(findCacheFolder(), 'mnist');
  const task = JSON.stringify({ model: describeNetwork(model), recipe, seed, threads, data, device, evaluate });
  const began = performance.now();
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) };
  const child = spawn(python, [SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'], signal, env });
  // A missing interpreter and a closed pipe are told by the exit; nothing is left unheard.
  const failed = new Promise<string>((resolve) => child.once('error', (error) => resolve(error.message)));
  child.stdin.on('error', () => {});
  child.stdin.end(task);
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const outcome = await Promise.race([failed, ended]);
  const seconds = (performance.now() - began) / 1000;
  if (signal?.aborted) return undefined;
  if (typeof outcome === 'string') return { missing: outcome };
  const [out, errors, [code]] = outcome;
  if (code !== 0) return { missing: errors.trim().split('\n').at(-1) ?? `it ended with code ${code}` };
  const lines = out.trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as TorchEvent);
  const { testCorrect: correct, testTotal, torch: version } = events.at(-1) as TorchEvent;
  const epochs = events.slice(0, -1).map((event) => event.testCorrect);
  const lastLosses = events.slice(0, -1).map((event) => event.lastLoss);
  return { seed, correct, epochs, lastLosses, accuracy: correct / testTotal, seconds, version };
}

/** An epoch, or the end. */
interface TorchEvent {
  readonly testCorrect: number;
  readonly testTotal: number;
  /** Of an epoch. */
  readonly lastLoss: number;
  readonly torch: string;
}
