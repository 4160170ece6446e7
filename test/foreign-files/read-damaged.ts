/** Starts the process that reads damaged files, and watches it. */
import { fork } from 'node:child_process';
import path from 'node:path';

interface Said {
  readonly reader: string;
  readonly runs?: number;
  readonly fault?: string;
}

export interface Outcome {
  /** How many files each reader has read. */
  readonly runs: Readonly<Record<string, number>>;
  /** What must not be: neither read, nor refused with a code. */
  readonly faults: readonly string[];
}

/** Without a sign: no file may take so long. */
const SILENT_MS = 60_000;

/**
 * @param runs files of each reader
 * @param sample folder with a run in it, under `run`
 */
export const readDamaged = (seed: number, runs: number, sample: string): Promise<Outcome> =>
  watch({ seed, runs, sample });

/** Each of the files that were made to take all memory or time. */
export const readHostile = (): Promise<Outcome> => watch({ isHostile: true });

function watch(task: Readonly<Record<string, unknown>>): Promise<Outcome> {
  const child = fork(path.join(import.meta.dirname, 'child.mjs'), [JSON.stringify(task)], {
    execArgv: ['--max-old-space-size=400'],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  const counts: Record<string, number> = {};
  const faults: string[] = [];
  let errors = '';
  let now = 'no reader';
  const stop = (): void => void child.kill('SIGKILL');
  let timer = setTimeout(stop, SILENT_MS);
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.on('message', ({ reader, runs: done, fault }: Said) => {
    clearTimeout(timer);
    timer = setTimeout(stop, SILENT_MS);
    now = reader;
    if (done !== undefined) counts[reader] = done;
    if (fault !== undefined) faults.push(`${reader}: ${fault}`);
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const end = `the process ended with ${signal ?? `code ${code}`}, seed ${task['seed']}: ${errors.slice(-2000)}`;
      resolve({ runs: counts, faults: code === 0 ? faults : [...faults, `${now}: ${end}`] });
    });
  });
}
