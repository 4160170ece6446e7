/** Kills a run again and again, and lets it go on each time with another number of workers. */
import path from 'node:path';
import { type JsonEvent, readEvents, startProgram, writeBars } from './digit-bars.js';

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
