/** Those who watch a run, and those who ask something of it: nothing they do changes a bit. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type TrainRequest, train } from '../../packages/cli/dist/api/session.js';
import type { RunEvent, StepTimes } from '../../packages/core/dist/events/index.js';
import { inferLayers } from '../../packages/core/dist/model/index.js';
import { initialParameters } from '../../packages/core/dist/run/index.js';
import { RunControl, type RunObserver, type RunView } from '../../packages/core/dist/seams/index.js';
import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { runSmall, SMALL_STEPS_PER_EPOCH, smallModel, smallRecipe } from '../support/small-run.ts';

const STEPS = 3 * SMALL_STEPS_PER_EPOCH;
let folder = '';
let request: TrainRequest;
let undisturbed = '';

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-observers-'));
  const dataset = await cutSample(200, 400);
  request = { model: smallModel, recipe: smallRecipe, dataset, seed: 1, workers: 2, steps: STEPS, engine: 'native' };
  undisturbed = (await runSmall({ workers: 1, steps: STEPS })).hash;
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function collect(
  more: Partial<TrainRequest>,
  onEvent: (event: RunEvent) => void = () => {},
): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of train({ ...request, ...more })) {
    events.push(event);
    onEvent(event);
  }
  return events;
}

const hashOf = (events: readonly RunEvent[]): string | undefined =>
  events.flatMap((event) => (event.event === 'end' ? [event.parametersSha256] : []))[0];

const kinds = (events: readonly RunEvent[]): string[] =>
  events.map(({ event }) => event).filter((event) => event !== 'progress');

describe('observers', () => {
  it('see every event in order, every evaluation with its predictions, and change no bit', async () => {
    const seen: string[] = [];
    const evaluations: string[] = [];
    let closed = 0;
    const observer: RunObserver = {
      name: 'test',
      begin: ({ stepsPerEpoch }) => seen.push(`begin ${stepsPerEpoch}`),
      onEvent: ({ event }) => event !== 'progress' && seen.push(event),
      onEvaluated: ({ split, epoch, step, evaluated }) =>
        evaluations.push(`${split} ${epoch} ${step} ${evaluated.predictions.length}`),
      close: () => void closed++,
    };
    const events = await collect({ observers: [observer] });
    expect(hashOf(events)).toBe(undisturbed);
    expect(seen).toEqual(['begin 4', ...kinds(events)]);
    expect(evaluations).toEqual(['test 1 4 800', 'test 2 8 800', 'test 3 12 800']);
    expect(closed).toBe(1);
  });

  it('that throw cost one warning and are told nothing more; the others go on', async () => {
    let calls = 0;
    let epochs = 0;
    const broken: RunObserver = {
      name: 'broken',
      onEvent: () => {
        calls += 1;
        throw new Error('it broke');
      },
    };
    const sound: RunObserver = { name: 'sound', onEvent: ({ event }) => void (event === 'epoch' && epochs++) };
    const events = await collect({ observers: [broken, sound] });
    expect(hashOf(events)).toBe(undisturbed);
    expect([calls, epochs]).toEqual([1, 3]);
    expect(events.filter(({ event }) => event === 'warning')).toEqual([
      {
        event: 'warning',
        code: 'LOCKSTEP_OBSERVER_FAILED',
        message: 'broken failed (it broke); it gets nothing more of this run. The run is not affected.',
      },
    ]);
  });

  it('learn which worker was replaced', async () => {
    vi.stubEnv('LOCKSTEP_FAULT', 'contribute:1:5:throw');
    try {
      const events = await collect({});
      expect(events.find(({ event }) => event === 'warning')).toMatchObject({
        code: 'LOCKSTEP_WORKER_REPLACED',
        worker: 1,
      });
      expect(hashOf(events)).toBe(undisturbed);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('that fail at their end are told of after the end', async () => {
    const late: RunObserver = { name: 'late', close: () => Promise.reject(new Error('disk full')) };
    const events = await collect({ observers: [late] });
    expect(kinds(events).slice(-2)).toEqual(['end', 'warning']);
  });

  it('are told of a failure of the run, and closed', async () => {
    const told: string[] = [];
    const observer: RunObserver = {
      name: 'test',
      onFailed: (error) => told.push((error as Error).message.slice(0, 24)),
      close: () => void told.push('closed'),
    };
    const recipe = recipeSchema.parse({ ...smallRecipe, learningRate: 1e38, optimizer: { type: 'sgd' } });
    await expect(collect({ recipe, observers: [observer] })).rejects.toThrow('LOCKSTEP_LOSS_NOT_FINITE');
    expect(told).toEqual(['LOCKSTEP_LOSS_NOT_FINITE', 'closed']);
  });

  it.each([1, 3])('get the times of every step of %i workers, whose parts fill the step', async (workers) => {
    const times: StepTimes[] = [];
    const events = await collect({ workers, observers: [{ name: 'test', onSteps: (some) => times.push(...some) }] });
    expect(hashOf(events)).toBe(undisturbed);
    const names = times.map(({ node, worker, step }) => `${node} ${worker} ${step}`);
    const expected = Array.from(
      { length: workers * STEPS },
      (_, i) => `coordinator ${i % workers} ${Math.floor(i / workers)}`,
    );
    expect(names.toSorted()).toEqual(expected.toSorted());
    for (const one of times) {
      for (const part of [one.contributeMs, one.waitMs, one.updateMs, one.commitMs])
        expect(part).toBeGreaterThanOrEqual(0);
      expect(one.exchangeMs).toBe(0);
    }
    for (let worker = 0; worker < workers; worker++) {
      const own = times.filter((one) => one.worker === worker).sort((a, b) => a.step - b.step);
      for (const [index, { beganMs, contributeMs, waitMs, updateMs, commitMs }] of own.entries()) {
        const next = own[index + 1]?.beganMs ?? performance.now();
        expect(beganMs + contributeMs + waitMs + updateMs + commitMs).toBeLessThanOrEqual(next + CLOCK_MS);
      }
    }
  });

  it.each(['float32', 'bf16'])(
    'read the mean gradient of the last step, by which the update of plain SGD is what it was (%s)',
    async (precision) => {
      const plain = { optimizer: { type: 'sgd', momentum: 0 }, learningRate: 0.5, gradientPrecision: precision };
      const recipe = recipeSchema.parse({ ...smallRecipe, ...plain });
      let view: RunView | undefined;
      let gradient: readonly Float32Array[] | undefined;
      const observer: RunObserver = {
        name: 'test',
        begin: (run) => {
          view = run;
          expect(run.readGradient()).toBeUndefined();
        },
        onEvaluated: () => (gradient = view?.readGradient()),
      };
      for (const workers of [1, 3]) {
        await collect({ recipe, steps: 1, workers, observers: [observer] });
        const before = initialParameters(inferLayers(smallModel), 1);
        const expected = before.map((values, i) =>
          values.map((value, j) => value - Math.fround(0.5 * (gradient?.[i]?.[j] as number))),
        );
        expect(view?.readState().parameters).toEqual(expected);
      }
    },
  );
});

/** What converting between the clocks of two threads may be off by. */
const CLOCK_MS = 0.1;

describe('a run under control', () => {
  it('is paused and resumed at any step with the same bits', async () => {
    for (const at of ['start', 'progress', 'epoch'] as const) {
      const control = new RunControl();
      let isDone = false;
      const events = await collect({ control }, ({ event }) => {
        if (event === 'paused') queueMicrotask(() => control.resume());
        if (event !== at || isDone) return;
        isDone = true;
        control.pause();
      });
      expect(kinds(events).filter((kind) => kind === 'paused' || kind === 'resumed')).toEqual(['paused', 'resumed']);
      expect(hashOf(events)).toBe(undisturbed);
    }
  });

  it('is cut before every step, again and again, with the same bits', async () => {
    const control = new RunControl();
    const paused: number[] = [];
    control.pause();
    const events = await collect({ control }, (event) => {
      if (event.event === 'paused') {
        paused.push(event.step);
        queueMicrotask(() => control.resume());
      }
      if (event.event === 'resumed') control.pause();
    });
    expect(paused).toEqual(Array.from({ length: STEPS }, (_, step) => step));
    expect(hashOf(events)).toBe(undisturbed);
  });

  it('writes a checkpoint when asked, in the middle of an epoch, also while it is paused', async () => {
    const control = new RunControl();
    control.pause();
    const checkpoints = { folder: path.join(folder, 'asked'), every: { count: 100, unit: 'epochs' } } as const;
    const events = await collect({ control, checkpoints }, (event) => {
      if (event.event === 'paused' && event.step === 1) control.checkpoint();
      if (event.event === 'paused' && event.step === 0) queueMicrotask(() => control.resume());
      if (event.event === 'resumed' && event.step === 0) control.pause();
      if (event.event === 'checkpoint' && event.step === 1) queueMicrotask(() => control.resume());
    });
    expect(events.flatMap((event) => (event.event === 'checkpoint' ? [event.step] : []))).toEqual([1, STEPS]);
    expect(readdirSync(checkpoints.folder).sort()).toEqual(['step-0000000001', 'step-0000000012']);
    expect(hashOf(events)).toBe(undisturbed);
  });

  it('says so when a checkpoint is asked for and there is no folder for it', async () => {
    const control = new RunControl();
    control.checkpoint();
    const events = await collect({ control });
    expect(events.flatMap((event) => (event.event === 'warning' ? [event.code] : []))).toEqual([
      'LOCKSTEP_CHECKPOINT_FOLDER',
    ]);
  });

  it.each(['running', 'paused'])('ends in order when it is stopped while %s', async (when) => {
    const control = new RunControl();
    if (when === 'paused') control.pause();
    const events = await collect({ control, steps: 1_000_000 }, ({ event }) => {
      if (event === (when === 'paused' ? 'paused' : 'epoch')) queueMicrotask(() => control.stop());
    });
    const end = events.at(-1);
    expect(end).toMatchObject({ event: 'end', reason: 'stopped' });
    if (when === 'paused') expect(end).toMatchObject({ steps: 0 });
  });
});
