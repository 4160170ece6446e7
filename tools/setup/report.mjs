/** What the set-up says. Everything goes to stderr: stdout belongs to the program (`--json`). */

// A reader that has gone, or a full disk, ends no set-up: the program behind it tells on its other stream what was lost.
process.stderr.on('error', () => {});

/** The set-up cannot go on. `output` is what the failing tool printed, `hint` what to do. */
export class SetupError extends Error {
  constructor(text, { hint = '', output = '' } = {}) {
    super(text);
    this.name = 'SetupError';
    this.hint = hint;
    this.output = output;
  }

  /** In one line: what failed, and what the tool said of it, where one of its lines says so. */
  get reason() {
    const said = this.output.split('\n').find((line) => /error|no space|cannot|killed/i.test(line));
    return said === undefined ? this.message : `${this.message}: ${said.trim()}`;
  }
}

/** Writes one line. */
export function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

/** Runs a step: a line when it starts, a line with the seconds when it is done. Returns what the step returns. */
export async function sayTimed(start, done, step, write = say) {
  const startedMs = performance.now();
  write(`${start} ...`);
  const result = await step();
  write(`${done} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
  return result;
}

/** Writes a failure: the tool's own output first, so that the last lines say what happened and what to do. */
export function sayFailure(error) {
  // the system's own refusals say what and where: a full disk, a folder of somebody else
  if (error.syscall !== undefined) {
    say(`FAILED: ${error.message}`);
    say('Nothing half made is used: once that is put right, the same command goes on from here.');
    return;
  }
  if (!(error instanceof SetupError)) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return;
  }
  if (error.output.trim() !== '') process.stderr.write(`${error.output.trimEnd()}\n`);
  say(`FAILED: ${error.message}`);
  if (error.hint !== '') say(error.hint);
}
