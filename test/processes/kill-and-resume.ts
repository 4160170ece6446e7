/** Kills a run again and again, and lets it go on each time with another number of workers. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { findCheckpoint, listCheckpoints } from '../../packages/core/dist/state/index.js';
import { type JsonEvent, readEvents, startProgram, writeBars } from '../support/digit-bars.js';
import { seedOr } from '../support/seed.ts';

export interface Killed {
  /** Hash of the run that was left alone, and of the one that was killed. */
  readonly expected: string;
  readonly got: string;
  /** Steps from which it went on. */
  readonly resumedSteps: readonly number[];
}

/** Numbers in [0, 1) from a seed: the moments of a failing test can be had again, as far as clocks allow. */
export function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const TRAIN = 3200;
const EXTRAS = ['--ema', '0.99', '--clip-norm', '1', '--validation', '100'];

export async function killAndResume(folder: string, kills: number, epochs: number, seed: number): Promise<Killed> {
  const random = makeRandom(seed);
  const model = writeBars(folder, TRAIN, 60);
  const checkpoints = path.join(folder, 'checkpoints');
  const common = ['--data', folder, '--json', '--no-save'];
  const first = ['train', model, ...common, '--epochs', String(epochs), ...EXTRAS];
  const alone = await startProgram(folder, [...first, '--workers', '2']).finished;
  const expected = endHash(readEvents(alone));
  const resumedSteps: number[] = [];
  for (let kill = 0; ; kill++) {
    const workers = ['--workers', String(1 + Math.floor(4 * random()))];
    const every = ['--every', `${1 + Math.floor(9 * random())} steps`];
    const argv = kill === 0 ? [...first, '--checkpoint', checkpoints] : ['train', '--resume', checkpoints, ...common];
    const delayMs = 120 * random();
    let isArmed = kill < kills;
    const { finished } = startProgram(folder, [...argv, ...workers, ...every], (event, child) => {
      if (event.event === 'start' && kill > 0) resumedSteps.push(event['resumedStep'] as number);
      if (event.event === 'checkpoint' && isArmed) {
        isArmed = false;
        setTimeout(() => child.kill('SIGKILL'), delayMs);
      }
    });
    const result = await finished;
    if (result.code === null) continue;
    if (result.code !== 0 || kill < kills) throw new Error(`kill ${kill}: ended with ${result.code}: ${result.error}`);
    return { expected, got: endHash(readEvents(result)), resumedSteps };
  }
}

function endHash(events: readonly JsonEvent[]): string {
  const end = events.at(-1);
  if (end?.event !== 'end') throw new Error(`no end: ${JSON.stringify(end)}`);
  return `${end['parametersSha256']} ${end['emaSha256']}`;
}

const WRITER = path.resolve(import.meta.dirname, 'checkpoint-writer.mjs');

/** The name of a checkpoint that is being written. */
const UNFINISHED = /^\.step-(\d+)\..*tmp$/;

/** Of calls that change something on the disk: two checkpoints have about so many. */
const MOST_CALLS = 40;

/**
 * Kills a process that does nothing but write checkpoints, again and again, and looks each time at what it left: every
 * checkpoint whole, and the last one that it said was written among them. Every other kill comes before a call to the disk,
 * drawn by chance, the others at a random moment. Goes on until so many kills have left one under a temporary name.
 */
export async function killWriters(folder: string, rounds: number, inTheMiddle: number): Promise<void> {
  const random = makeRandom(seedOr(7));
  let halfWritten = 0;
  for (let round = 0; round < rounds || halfWritten < inTheMiddle; round++) {
    if (round === 50 * rounds) throw new Error(`${round} kills, ${halfWritten} of them while a checkpoint was written`);
    const first = (listCheckpoints(folder).at(-1) ?? 0) + 1;
    const when = round % 2 === 0 ? { delayMs: 25 * random() } : { calls: 1 + Math.floor(MOST_CALLS * random()) };
    const written = await killWriter(folder, first, when);
    const unfinished = readdirSync(folder).filter((name) => Number(UNFINISHED.exec(name)?.[1]) > written);
    if (unfinished.length > 0) halfWritten++;
    const { checkpoint, skipped } = findCheckpoint(folder);
    const { step } = checkpoint.info;
    expect(skipped, `round ${round}`).toEqual([]);
    expect(step, `round ${round}`).toBeGreaterThanOrEqual(written);
    expect(checkpoint.snapshot.state[0], `round ${round}`).toBe(step);
  }
}

/** When a writer is killed after its first checkpoint: so much later, or before so many more calls to the disk. */
interface Kill {
  readonly delayMs?: number;
  readonly calls?: number;
}

/** Kills a writer; returns the last step that it said was written. */
function killWriter(folder: string, firstStep: number, { delayMs, calls }: Kill): Promise<number> {
  return new Promise((resolve, reject) => {
    const argv = [WRITER, folder, String(firstStep), ...(calls === undefined ? [] : [String(calls)])];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (out === '' && delayMs !== undefined) setTimeout(() => child.kill('SIGKILL'), delayMs);
      out += text;
    });
    child.on('error', reject);
    child.on('close', () => resolve(Number(out.trimEnd().split('\n').at(-1))));
  });
}
