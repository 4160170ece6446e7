/** The program in the test's own process: the same lines, words, files and exit codes as in one of its own, without its start. */
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import type { Finished } from './digit-bars.ts';

/** That of the machine on which `npm test` has its budget. */
const CORES = 2;

/** There is one working folder: a command waits for the one before it. */
let before: Promise<unknown> = Promise.resolve();

/**
 * Runs one command in a working folder, which it leaves again.
 *
 * @param folder the working folder
 * @param input what is on stdin
 */
export function runHere(folder: string, argv: readonly string[], input?: Uint8Array): Promise<Finished> {
  const run = before.then(() => runNow(folder, argv, input));
  before = run.catch(() => {});
  return run;
}

async function runNow(
  folder: string,
  argv: readonly string[],
  input: Uint8Array = new Uint8Array(0),
): Promise<Finished> {
  const home = process.cwd();
  const io = new RecordingIo();
  io.env = { ...process.env };
  io.coreCount = CORES;
  io.input = new Uint8Array(input);
  process.chdir(folder);
  try {
    const code = await main(argv, io);
    return { code, out: io.stdout.text, error: io.stderr.text };
  } finally {
    process.chdir(home);
  }
}
