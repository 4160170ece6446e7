/** Checkpoints and --resume, in this process: same bits, what is kept, what is refused. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { train } from '../../packages/cli/dist/api/session.js';
import { type Dataset, holdOutValidation } from '../../packages/core/dist/data/index.js';
import type { EndEvent, EpochEvent, RunEvent } from '../../packages/core/dist/events/index.js';
import { type RecipeInput, recipeSchema } from '../../packages/core/dist/spec/index.js';
import { findCheckpoint } from '../../packages/core/dist/state/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { SMALL_IMAGES, smallModel } from '../support/small-run.js';

const dataset: Dataset = await cutSample(SMALL_IMAGES, 100);
/** Four steps an epoch. */
const BASE: RecipeInput = { epochs: 3, batchSize: 64, learningRate: 0.01, augmentation: { rotation: 10 } };
const ALL: RecipeInput = { ...BASE, ema: 0.9, clipNorm: 0.5, labelSmoothing: 0.1, schedule: { type: 'one-cycle' } };
type Request = Parameters<typeof train>[0];

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-checkpoints-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const requestOf = ({
  recipe = ALL,
  ...more
}: Partial<Omit<Request, 'recipe'>> & { recipe?: RecipeInput }): Request => ({
  model: smallModel,
  recipe: recipeSchema.parse(recipe),
  dataset,
  seed: 5,
  workers: 2,
  engine: 'native',
  ...more,
});

async function run(parts: Parameters<typeof requestOf>[0], onEvent?: (event: RunEvent) => void): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of train(requestOf(parts))) {
    if (event.event !== 'progress') events.push(event);
    onEvent?.(event);
  }
  return events;
}

const endOf = (events: readonly RunEvent[]): EndEvent => events.at(-1) as EndEvent;

/** What a run says that does not depend on the clock. */
const epochsOf = (events: readonly RunEvent[]): Partial<EpochEvent>[] =>
  events.flatMap((event) => {
    if (event.event !== 'epoch') return [];
    const { seconds: _, imagesPerSecond: __, ...rest } = event;
    return [rest];
  });

const everySteps = (count: number, more: object = {}) => ({
  folder,
  every: { count, unit: 'steps' as const },
  ...more,
});
const names = (): string[] => readdirSync(folder).sort();

describe('resuming', () => {
  it('from any step, with another number of workers, gives the end and the epochs of the run that never stopped', async () => {
    const whole = await run({});
    await run({ checkpoints: everySteps(1, { keep: 100 }) });
    for (const [index, name] of ['01', '03', '04', '07', '10', '12'].entries()) {
      const resume = findCheckpoint(path.join(folder, `step-00000000${name}`));
      const events = await run({ resume, workers: 1 + (index % 4) });
      expect(endOf(events)).toMatchObject({
        parametersSha256: endOf(whole).parametersSha256,
        emaSha256: endOf(whole).emaSha256,
        epochs: 3,
        steps: 12,
        reason: 'completed',
      });
      expect(epochsOf(events)).toEqual(epochsOf(whole).slice(Math.floor(Number(name) / 4)));
      expect(events[0]).toMatchObject({ event: 'start', resumedStep: Number(name) });
    }
  });

  it('keeps the seconds of an epoch that was under way', async () => {
    await run({ checkpoints: everySteps(3), steps: 6 });
    const resume = findCheckpoint(folder);
    const [epoch] = epochsOf(await run({ resume }));
    expect(epoch).toMatchObject({ epoch: 2 });
    expect(resume.checkpoint.info.epochSeconds).toBeGreaterThan(0);
  });

  it('writes on into the same folder, and the last step whatever the interval', async () => {
    await run({ checkpoints: everySteps(5), steps: 7 });
    expect(names()).toEqual(['step-0000000005', 'step-0000000007']);
    await run({ checkpoints: everySteps(5), resume: findCheckpoint(folder) });
    expect(names()).toEqual(['step-0000000007', 'step-0000000010', 'step-0000000012']);
  });

  it('skips a damaged checkpoint with a warning that says which and why, and replaces it', async () => {
    await run({ checkpoints: everySteps(4) });
    const newest = path.join(folder, 'step-0000000012');
    truncateSync(path.join(newest, 'tensors.safetensors'), 1000);
    const events = await run({ checkpoints: everySteps(4), resume: findCheckpoint(folder), workers: 1 });
    const warning = events.find((event) => event.event === 'warning');
    expect(warning).toMatchObject({ code: 'LOCKSTEP_CHECKPOINT_SKIPPED' });
    expect(warning).toHaveProperty(
      'message',
      expect.stringMatching(
        /step-0000000012 cannot be used: its tensors have 1000 bytes, expected \d+\. The run goes on from .*step-0000000008\.$/,
      ),
    );
    expect(findCheckpoint(folder)).toMatchObject({ path: newest, skipped: [] });
  });

  it('of a run that was done ends at once', async () => {
    const first = await run({ checkpoints: everySteps(4) });
    const again = await run({ resume: findCheckpoint(folder) });
    expect(again.map(({ event }) => event)).toEqual(['start', 'data', 'end']);
    expect(endOf(again)).toMatchObject({ epochs: 3, parametersSha256: endOf(first).parametersSha256 });
  });
});

describe('a run that differs from the checkpoint', () => {
  const start = () => run({ checkpoints: everySteps(4), steps: 6 });

  it('is refused with a list of what differs', async () => {
    await start();
    const recipe: RecipeInput = {
      ...ALL,
      learningRate: 0.02,
      clipNorm: undefined,
      optimizer: { type: 'adam', eps: 1e-7 },
    };
    await expect(run({ recipe, seed: 6, resume: findCheckpoint(folder) })).rejects.toThrow(
      'LOCKSTEP_CHECKPOINT_DIFFERS: the run differs from the checkpoint of step 6: recipe.optimizer.eps is 1e-7, was 1e-8; ' +
        'recipe.learningRate is 0.02, was 0.01; recipe.clipNorm is not set, was 0.5; seed is 6, was 5. ' +
        'Leave these as they were, or go on with --override (the result is then no longer that of one recipe).',
    );
  });

  it('goes on with --override and a warning, also with another optimizer and moving average', async () => {
    await start();
    const recipe: RecipeInput = { ...BASE, optimizer: { type: 'sgd', momentum: 0.9 } };
    const events = await run({ recipe, resume: findCheckpoint(folder), override: true });
    expect(endOf(events)).toMatchObject({ steps: 12, reason: 'completed' });
    expect(events.find((event) => event.event === 'warning')).toMatchObject({ code: 'LOCKSTEP_CHECKPOINT_OVERRIDE' });
    expect(endOf(events).emaSha256).toBeUndefined();
  });

  it.each<[string, object, RegExp]>([
    ['batch size', { recipe: { ...ALL, batchSize: 32 } }, /with recipe\.batchSize is 32, was 64\. Start a new run/],
    ['held-out images', { dataset: holdOutValidation(dataset, 20) }, /trainSamples is 180, was 200/],
    ['model', { model: { ...smallModel, name: 'other' } }, /model\.name is "other", was "small"/],
  ])('in its %s cannot go on at all', async (_, parts, expected) => {
    await start();
    const resumed = run({ ...parts, resume: findCheckpoint(folder), override: true });
    await expect(resumed).rejects.toThrow(/^LOCKSTEP_CHECKPOINT_FIXED: the run cannot go on from step 6 /);
    await expect(run({ ...parts, resume: findCheckpoint(folder), override: true })).rejects.toThrow(expected);
  });

  it('in its data is refused', async () => {
    await start();
    const other = { ...dataset, checksum: 'f'.repeat(64) };
    await expect(run({ dataset: other, resume: findCheckpoint(folder) })).rejects.toThrow(
      `dataset is "${'f'.repeat(64)}", was "${dataset.checksum}"`,
    );
  });
});

describe('the folder', () => {
  it('keeps the newest', async () => {
    await run({ checkpoints: everySteps(2, { keep: 2 }) });
    expect(names()).toEqual(['step-0000000010', 'step-0000000012']);
  });

  it('gets one after each epoch by default, and keeps three', async () => {
    await run({ recipe: { ...BASE, epochs: 4 }, checkpoints: { folder } });
    expect(names()).toEqual(['step-0000000008', 'step-0000000012', 'step-0000000016']);
  });

  it('keeps the best epoch as well, and says which it is', async () => {
    const recipe = {
      ...BASE,
      epochs: 6,
      learningRate: 0.003,
      schedule: { type: 'step' as const, every: 1, gamma: 20 },
    };
    const checkpoints = {
      folder,
      keep: 1,
      best: 'testAccuracy' as const,
      every: { count: 5, unit: 'epochs' as const },
    };
    const events = await run({ recipe, checkpoints, best: 'testAccuracy' });
    const accuracies = epochsOf(events).map((epoch) => epoch.testAccuracy as number);
    const best = accuracies.indexOf(Math.max(...accuracies)) + 1;
    expect(best).toBeLessThan(6);
    const name = `step-${String(4 * best).padStart(10, '0')}`;
    expect(names()).toEqual(['best.json', name, 'step-0000000024']);
    expect(JSON.parse(readFileSync(path.join(folder, 'best.json'), 'utf8'))).toEqual({
      checkpoint: name,
      metric: 'testAccuracy',
      epoch: best,
      value: Math.max(...accuracies),
    });
  });

  it('of another run is refused', async () => {
    await run({ checkpoints: everySteps(4), steps: 4 });
    await expect(run({ checkpoints: everySteps(4) })).rejects.toThrow(
      `LOCKSTEP_CHECKPOINT_EXISTS: ${folder} already holds checkpoints, up to step 4. ` +
        `Go on from them with --resume ${folder}, or choose another --checkpoint folder.`,
    );
    const copy = path.join(folder, 'copy');
    cpSync(path.join(folder, 'step-0000000004'), path.join(copy, 'step-0000000004'), { recursive: true });
    const resumed = run({ checkpoints: everySteps(4), resume: findCheckpoint(copy) });
    await expect(resumed).rejects.toThrow('LOCKSTEP_CHECKPOINT_EXISTS');
  });
});

describe('a folder that several runs or branches meet in', () => {
  const warningsOf = (events: readonly RunEvent[]): string[] =>
    events.flatMap((event) => (event.event === 'warning' ? [`${event.code}: ${event.message}`] : []));
  const at = (step: number): string => path.join(folder, `step-${String(step).padStart(10, '0')}`);
  /** With another rate: a branch of its own. */
  const other: RecipeInput = { ...ALL, learningRate: 0.02 };

  it('cases: work 9: two runs begun at once: one writes, the other is refused before its first event', async () => {
    let second: Promise<RunEvent[]> | undefined;
    const events = await run({ checkpoints: everySteps(4) }, () => {
      second ??= run({ checkpoints: everySteps(4), seed: 6 });
      second.catch(() => {});
    });
    await expect(second).rejects.toThrow(
      new RegExp(
        `^LOCKSTEP_CHECKPOINT_LOCKED: ${folder} belongs to the run of small, seed 5 \\(process ${process.pid} on `,
      ),
    );
    expect(endOf(events)).toMatchObject({ reason: 'completed' });
    expect(names()).toEqual(['step-0000000004', 'step-0000000008', 'step-0000000012']);
    expect(findCheckpoint(folder).checkpoint.info.seed).toBe(5);
  });

  it('cases: work 10: damaged checkpoints do not count, and never push out whole ones', async () => {
    await run({ checkpoints: everySteps(1, { keep: 5 }), steps: 5 });
    for (const step of [3, 4, 5]) truncateSync(path.join(at(step), 'tensors.safetensors'), 100);
    await run({ checkpoints: everySteps(1, { keep: 3 }), steps: 6, resume: findCheckpoint(at(2)) });
    // 3 to 6 were computed anew; nothing whole was given up for a damaged one
    expect(names()).toEqual([4, 5, 6].map((step) => path.basename(at(step))));
    for (const step of [4, 5]) truncateSync(path.join(at(step), 'tensors.safetensors'), 100);
    await run({ checkpoints: everySteps(1, { keep: 3 }), steps: 7, resume: findCheckpoint(at(6)) });
    expect(names()).toEqual([4, 5, 6, 7].map((step) => path.basename(at(step))));
    expect(findCheckpoint(folder).checkpoint.info.step).toBe(7);
    await run({ checkpoints: everySteps(1, { keep: 3 }), steps: 9, resume: findCheckpoint(folder) });
    expect(names()).toEqual([7, 8, 9].map((step) => path.basename(at(step))));
  });

  it('cases: work 8: a branch sets newer checkpoints of the other apart, tells it, and is what --resume takes next', async () => {
    const best = { best: 'testAccuracy' as const };
    await run({ checkpoints: everySteps(4, { keep: 9, ...best }), ...best });
    const kept = findCheckpoint(folder);
    const resume = findCheckpoint(at(4));
    const events = await run({
      recipe: other,
      resume,
      override: true,
      checkpoints: everySteps(1, { keep: 1 }),
      steps: 6,
    });
    const branch = path.join(folder, 'branch-1');
    expect(warningsOf(events)).toContain(
      `LOCKSTEP_CHECKPOINT_BRANCH: the run went on from step 4; checkpoints of steps 8, 12, of what it was before, are kept in ${branch}. Go on there with --resume ${branch}.`,
    );
    expect(names().filter((name) => name !== 'best.json')).toEqual(['branch-1', path.basename(at(6))]);
    expect(findCheckpoint(folder).checkpoint.info).toMatchObject({ step: 6, recipe: { learningRate: 0.02 } });
    expect(findCheckpoint(branch).checkpoint).toEqual(kept.checkpoint);
    const whole = endOf(await run({}));
    const again = await run({ resume: findCheckpoint(branch), checkpoints: { folder: branch } });
    expect(endOf(again).parametersSha256).toBe(whole.parametersSha256);
  });

  it('cases: work 8: nothing is set apart before the branch has a checkpoint of its own', async () => {
    await run({ checkpoints: everySteps(4) });
    const before = names();
    const interrupted = train(
      requestOf({ recipe: other, resume: findCheckpoint(at(4)), override: true, checkpoints: everySteps(4) }),
    );
    for await (const event of interrupted) if (event.event === 'start') break;
    expect(names()).toEqual(before);
    expect(findCheckpoint(folder).checkpoint.info.step).toBe(12);
  });

  it('that is a checkpoint itself is refused', async () => {
    await run({ checkpoints: everySteps(4), steps: 4 });
    const resume = findCheckpoint(at(4));
    await expect(run({ resume, checkpoints: { folder: at(4) } })).rejects.toThrow(
      `LOCKSTEP_CHECKPOINT_EXISTS: ${at(4)} is a checkpoint itself. Give the folder that it is in, ${folder}, or another`,
    );
  });

  it('that was taken over by another run gets nothing more, and the run goes on', async () => {
    let isTaken = false;
    const events = await run({ checkpoints: everySteps(4) }, (event) => {
      if (event.event !== 'checkpoint' || isTaken) return;
      isTaken = true;
      rmSync(path.join(folder, 'run.lock'));
    });
    expect(endOf(events)).toMatchObject({ reason: 'completed', steps: 12 });
    expect(warningsOf(events)[0]).toContain('LOCKSTEP_CHECKPOINT_LOCKED: another run has taken');
    expect(names()).toEqual(['step-0000000004']);
  });
});

describe('--patience', () => {
  // A rate that grows until nothing is learned any more.
  const recipe: RecipeInput = {
    ...BASE,
    epochs: 50,
    learningRate: 0.003,
    schedule: { type: 'step', every: 1, gamma: 20 },
  };

  it('ends the run after so many epochs that were not better', async () => {
    const events = await run({ recipe, patience: 2 });
    const accuracies = epochsOf(events).map((epoch) => epoch.testAccuracy as number);
    const best = accuracies.indexOf(Math.max(...accuracies));
    expect(endOf(events)).toMatchObject({ reason: 'patience', epochs: best + 3 });
  });

  it('looks at held-out images when there are some', async () => {
    const events = await run({ recipe, patience: 1, dataset: holdOutValidation(dataset, 40) });
    const accuracies = epochsOf(events).map((epoch) => epoch.validation?.accuracy as number);
    const firstWithoutGain = accuracies.findIndex((value, i) => i > 0 && value <= Math.max(...accuracies.slice(0, i)));
    expect(endOf(events)).toMatchObject({ reason: 'patience', epochs: firstWithoutGain + 1 });
  });

  it('counts the epochs before a checkpoint too', async () => {
    const whole = await run({ recipe, patience: 2, checkpoints: { folder, keep: 100 } });
    const steps = endOf(whole).steps;
    rmSync(path.join(folder, `step-${String(steps).padStart(10, '0')}`), { recursive: true });
    const resumed = await run({ recipe, patience: 2, resume: findCheckpoint(folder) });
    expect(endOf(resumed)).toMatchObject({
      reason: 'patience',
      steps,
      parametersSha256: endOf(whole).parametersSha256,
    });
  });
});

it('an interrupted run leaves a checkpoint of its last step', async () => {
  const interrupt = new AbortController();
  const whole = endOf(await run({ recipe: { ...ALL, epochs: 30 } }));
  const events = await run(
    { recipe: { ...ALL, epochs: 30 }, checkpoints: { folder }, signal: interrupt.signal },
    (event) => {
      if (event.event === 'epoch' && event.epoch === 2) interrupt.abort();
    },
  );
  const { steps, reason } = endOf(events);
  expect(reason).toBe('interrupted');
  const resume = findCheckpoint(folder);
  expect(resume.checkpoint.info.step).toBe(steps);
  const resumed = endOf(await run({ recipe: { ...ALL, epochs: 30 }, resume, workers: 3 }));
  expect(resumed.parametersSha256).toBe(whole.parametersSha256);
});
