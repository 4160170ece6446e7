/**
 * Two workers in one process, for longer: no tensor is left behind, nothing crashes, and the bits repeat. And the exports of
 * larger models.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeTensorFlow } from '../../packages/worker/dist/tensorflow-engine/test-availability.js';
import { BIN, ExportFixture } from './tensorflow-export.ts';

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

describeTensorFlow('an export for TensorFlow.js', () => {
  let fixture: ExportFixture;
  beforeAll(async () => {
    fixture = await ExportFixture.open();
  });
  afterAll(() => fixture.remove());

  it.each([
    ['net19k', 100],
    ['gap19k', 100],
    ['mynet', 100],
    ['cnn11m', 30],
  ])(
    '%s: the same logits in tfjs-node and on the cpu backend, the same count of right test images',
    async (name, steps) => {
      await fixture.check(name, steps);
    },
    TIMEOUT_MS,
  );
});
