/** Workers that throw, exit, stall or are killed: the run ends with the same bits. */
import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { runSmall, SMALL_IMAGES, SMALL_STEPS_PER_EPOCH, type SmallResult, writeSample } from '../support/small-run.ts';

const BIN = path.resolve(import.meta.dirname, '../../packages/cli/dist/bin.js');
const STEPS = 3 * SMALL_STEPS_PER_EPOCH;
/** Far more than a step or a chunk of the small run needs, also on a busy machine. */
const STALL_MS = '700';

let undisturbed: SmallResult;

beforeAll(async () => {
  undisturbed = await runSmall({ workers: 1, steps: STEPS });
  expect(undisturbed.warnings).toEqual([]);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

const reasons = {
  throw: (point: string) => `fault injected at ${point}`,
  exit: () => 'worker exited with code: 7',
  stall: () => expect.stringMatching(/^worker \d did not move for \d+\.\d s$/),
} as const;

describe.each([2, 3])('with %i workers', (workers) => {
  const kinds = workers === 3 ? (['throw', 'exit', 'stall'] as const) : (['exit'] as const);

  describe.each(kinds)('a worker that %ss', (kind) => {
    it.each([
      ['contribute', 0, 'before the first step'],
      ['contribute', SMALL_STEPS_PER_EPOCH + 1, 'in the middle of an epoch'],
      ['contributed', SMALL_STEPS_PER_EPOCH + 1, 'with its contribution done'],
      ['update', SMALL_STEPS_PER_EPOCH + 1, 'before its update'],
      ['updated', 2 * SMALL_STEPS_PER_EPOCH - 1, 'after its update, at the end of an epoch'],
      ['evaluate', SMALL_STEPS_PER_EPOCH, 'in an evaluation'],
    ])('at %s of step %i, %s, costs one warning and no bit', async (point, step) => {
      vi.stubEnv('LOCKSTEP_FAULT', `${point}:${workers - 1}:${step}:${kind}`);
      vi.stubEnv('LOCKSTEP_STALL_MS', STALL_MS);
      const { hash, correct, warnings } = await runSmall({ workers, steps: STEPS });
      expect(warnings.map(({ code, message }) => ({ code, message }))).toEqual([
        { code: 'LOCKSTEP_WORKER_REPLACED', message: expect.stringContaining(`a worker was lost at step ${step} (`) },
      ]);
      const reason = /\((.*)\)/.exec((warnings[0] as { message: string }).message)?.[1];
      expect(reason).toEqual(reasons[kind](point));
      expect({ hash, correct }).toEqual({ hash: undisturbed.hash, correct: undisturbed.correct });
    });
  });
});

it.each(['exit', 'throw'] as const)(
  "a worker on WebAssembly's kernels that %ss is replaced by one with a stack and memory of its own",
  async (kind) => {
    vi.stubEnv('LOCKSTEP_ISA', 'wasm');
    vi.stubEnv('LOCKSTEP_FAULT', `contributed:1:${SMALL_STEPS_PER_EPOCH + 1}:${kind}`);
    const { hash, warnings } = await runSmall({ workers: 2, steps: STEPS });
    expect(warnings.map(({ code }) => code)).toEqual(['LOCKSTEP_WORKER_REPLACED']);
    expect(hash).toBe(undisturbed.hash);
  },
);

describe('threads terminated from outside', () => {
  /** Runs while `kill` gets every thread of the run, once, when some steps are committed. */
  async function runAndKill(kill: (threads: Worker[]) => void, steps: number): Promise<SmallResult> {
    const threads: Worker[] = [];
    const collect = (message: unknown): void => {
      threads.push((message as { worker: Worker }).worker);
    };
    subscribe('worker_threads', collect);
    let isKilled = false;
    try {
      return await runSmall({
        workers: 3,
        steps,
        onEvent: (event) => {
          if (isKilled || event.event !== 'progress' || event.epoch < 2) return;
          isKilled = true;
          kill(threads);
        },
      });
    } finally {
      unsubscribe('worker_threads', collect);
    }
  }

  // Long enough to be still going when the first progress is reported.
  const LONG_STEPS = 4000;
  let long: SmallResult;

  beforeAll(async () => {
    long = await runSmall({ workers: 2, steps: LONG_STEPS });
  });

  it.each([
    ['one', (threads: Worker[]) => void threads[1]?.terminate()],
    ['all', (threads: Worker[]) => threads.forEach((thread) => void thread.terminate())],
  ])('%s of them: replaced, one warning, the same bits', async (_, kill) => {
    const { hash, correct, warnings } = await runAndKill(kill, LONG_STEPS);
    expect(warnings.map(({ code }) => code)).toEqual(['LOCKSTEP_WORKER_REPLACED']);
    expect({ hash, correct }).toEqual({ hash: long.hash, correct: long.correct });
  });
});

describe('threads that fail as they start', () => {
  it.each(['throw', 'exit'])('once (%s): replaced, with at most one warning', async (kind) => {
    vi.stubEnv('LOCKSTEP_FAULT', `start:0:0:${kind}`);
    const { hash, warnings } = await runSmall({ workers: 2, steps: STEPS });
    expect(warnings.length).toBeLessThanOrEqual(1);
    expect(hash).toBe(undisturbed.hash);
  });

  it('every time: the run is given up at once', async () => {
    vi.stubEnv('LOCKSTEP_FAULT', 'start:0:0:throw:99');
    await expect(runSmall({ workers: 2, steps: STEPS })).rejects.toMatchObject({
      code: 'LOCKSTEP_WORKER_LOST',
      text: expect.stringContaining('at step 0: fault injected at start'),
    });
  });
});

describe('a run that cannot go on', () => {
  let folder = '';

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lockstep-faults-'));
    await writeSample(folder, SMALL_IMAGES, 16);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each(['throw', 'exit'])('is given up when workers %s again and again', async (kind) => {
    vi.stubEnv('LOCKSTEP_FAULT', `contribute:1:5:${kind}:99`);
    await expect(runSmall({ workers: 2, steps: STEPS })).rejects.toMatchObject({
      code: 'LOCKSTEP_WORKER_LOST',
      text: expect.stringMatching(/^workers were lost 4 times in a row at step 5: .*\. Report this with/),
    });
  });

  it('goes on when workers are lost three times in a row', async () => {
    vi.stubEnv('LOCKSTEP_FAULT', 'contribute:1:5:throw:3');
    const { hash, warnings } = await runSmall({ workers: 2, steps: STEPS });
    expect(warnings).toHaveLength(3);
    expect(hash).toBe(undisturbed.hash);
  });

  const runCli = (env: NodeJS.ProcessEnv, ...argv: string[]) => {
    const common = ['train', 'lenet5', '--data', folder, '--no-save', '--workers', '2', '--json'];
    return spawnSync(process.execPath, [BIN, ...common, ...argv], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
  };

  it('ends the program with code 1, after three warnings, when workers are lost again and again', () => {
    const { status, stdout, stderr } = runCli({ LOCKSTEP_FAULT: 'update:1:2:exit:99' }, '--steps', '4');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^lockstep: LOCKSTEP_WORKER_LOST: workers were lost 4 times in a row at step 2: /m);
    expect(stdout.match(/"event":"warning","code":"LOCKSTEP_WORKER_REPLACED"/g)).toHaveLength(3);
  });

  it('ends the program with code 2 when the loss is not finite', () => {
    const { status, stdout, stderr } = runCli({}, '--steps', '40', '--lr', '1e30');
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^lockstep: LOCKSTEP_LOSS_NOT_FINITE: the loss of step \d+ \(epoch 1\) is not a finite number\. Try a lower --learning-rate, or --warmup-steps\.$/m,
    );
    expect(stdout).not.toContain('"event":"end"');
  });
});
