/** Other people's programs that read what we write; `npm test` puts them into the user's cache (tools/setup/readers.mjs). */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, it } from 'vitest';
import { readersFolder } from '../../tools/setup/readers.mjs';

const folder: string = readersFolder();

/** As `describe`; skipped under a name that says why without them, unless LOCKSTEP_REQUIRE_READERS=1. */
export function describeReaders(name: string, tests: () => void): void {
  if (existsSync(folder)) {
    describe(name, tests);
    return;
  }
  const reason = process.env['LOCKSTEP_READERS_REASON'] ?? 'npm test fetches it';
  const text = `needs Python with tensorboard and prometheus_client in ${folder}: ${reason}`;
  describe(name, () => {
    if (process.env['LOCKSTEP_REQUIRE_READERS'] !== '1') it.skip(text, () => {});
    else {
      it(text, () => {
        throw new Error(text);
      });
    }
  });
}

/** Runs a Python script that prints JSON. */
export function runPython(script: string, args: readonly string[], input = ''): unknown {
  const env = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' };
  return JSON.parse(execFileSync('python3', ['-c', script, ...args], { env, input, encoding: 'utf8' }));
}
