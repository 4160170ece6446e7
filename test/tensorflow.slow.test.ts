/** Two workers in one process, for longer: no tensor is left behind, nothing crashes, and the bits repeat. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { describeTensorFlow } from './tensorflow-availability.ts';

const BIN = path.resolve(import.meta.dirname, '../packages/cli/dist/bin.js');
const THREADS = path.resolve(import.meta.dirname, 'tensorflow-threads.mjs');
const STEPS = '200';
const REPETITIONS = 5;
const TIMEOUT_MS = 1_800_000;

/** The last line that a program prints. */
function run(...args: string[]) {
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return JSON.parse(output.trim().split('\n').at(-1) as string);
}

describeTensorFlow('the tensorflow engine on two threads of one process, 200 steps of gap19k, five times', () => {
  it(
    'holds as many tensors after the last step as after the first',
    () => {
      for (let repetition = 0; repetition < REPETITIONS; repetition++) {
        const counts = run(THREADS, STEPS) as { afterFirst: number; afterLast: number }[];
        expect(counts).toHaveLength(2);
        for (const { afterFirst, afterLast } of counts) {
          expect(afterFirst).toBeGreaterThan(0);
          expect(afterLast).toBe(afterFirst);
        }
      }
    },
    TIMEOUT_MS,
  );

  it(
    'trains to the end, to the same bits each time',
    () => {
      const flags = ['--engine', 'tensorflow', '--workers', '2', '--batch-size', '32', '--steps', STEPS, '--no-save'];
      const hashes = Array.from({ length: REPETITIONS }, () => {
        const end = run(BIN, 'train', 'gap19k', ...flags, '--json');
        expect(end).toMatchObject({ event: 'end', steps: Number(STEPS) });
        return end.parametersSha256;
      });
      expect(new Set(hashes).size).toBe(1);
    },
    TIMEOUT_MS,
  );
});
