/** Made-up digits in IDX files and a model that learns them in a moment: for tests that start the program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { drawBars, makeBars, BAR_SIDE as SIDE } from './bars-model.ts';
import { writeIdxSplit } from './idx-split.ts';

export const BIN = path.resolve(import.meta.dirname, '../../packages/cli/dist/bin.js');
const MOST_IMAGES = 60 ** 2;

const bars = makeBars({ epochs: 3, batchSize: 64 });

/** Writes model and data into a folder; returns the model's path. */
export function writeBars(folder: string, trainCount: number, testCount: number): string {
  writeSplit(folder, 'train', trainCount);
  writeSplit(folder, 't10k', testCount);
  const model = path.join(folder, 'bars.json');
  writeFileSync(model, JSON.stringify(bars));
  return model;
}

/** The bars of bars-model.ts, but no two are the same, up to 3,600. */
function writeSplit(folder: string, stem: 'train' | 't10k', count: number): void {
  const { pixels, labels } = drawBars(count);
  // their numbers, of both splits, in base 60 in the last two pixels
  for (let image = 0; image < count; image++) {
    const number = stem === 'train' ? image : MOST_IMAGES - 1 - image;
    const end = (image + 1) * SIDE * SIDE;
    pixels.set([Math.floor(number / 60), number % 60], end - 2);
  }
  writeIdxSplit(folder, stem, SIDE, pixels, labels);
}

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

export type JsonEvent = Record<string, unknown> & { event: string };

/** Starts the program in a folder; `finished` resolves when its streams are closed. */
export function startProgram(
  folder: string,
  argv: readonly string[],
  onEvent?: (event: JsonEvent, child: ChildProcess) => void,
  env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; finished: Promise<Finished> } {
  const child = spawn(process.execPath, [BIN, ...argv], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let error = '';
  let read = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    for (let end = out.indexOf('\n', read); onEvent && end >= 0; end = out.indexOf('\n', read)) {
      onEvent(JSON.parse(out.slice(read, end)) as JsonEvent, child);
      read = end + 1;
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, error }));
  });
  return { child, finished };
}

export const readEvents = ({ out }: Finished): JsonEvent[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonEvent);
