/** A run that was killed between two checkpoints and goes on into the same files: no step is in them twice. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { train } from '../../packages/cli/dist/api/session.js';
import { openObservers } from '../../packages/cli/dist/watching/open-observers.js';
import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { findCheckpoint } from '../../packages/core/dist/state/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { smallModel, smallRecipe } from '../support/small-run.ts';
import { describeReaders, runPython } from './readers.ts';

/** 200 images in steps of 64. */
const STEPS_PER_EPOCH = 4;
const EPOCHS = 3;
/** The last checkpoint, and the step at which the first process dies. */
const KEPT = 4;
const KILLED = 10;

let folder = '';
const notes: string[] = [];
const at = (name: string): string => path.join(folder, name);

async function runOnce(steps: number | undefined, resumeFrom: string | undefined): Promise<void> {
  const resume = resumeFrom === undefined ? undefined : findCheckpoint(resumeFrom);
  const settings = {
    ...{ out: at('out'), tensorboard: at('tb'), logFile: at('run.log'), logLevel: 'debug' as const },
    ...{ trace: undefined, metrics: undefined },
  };
  const resumedStep = resume?.checkpoint.info.step;
  const context = { resumedStep, metrics: undefined, tell: (line: string) => void notes.push(line) };
  const observers = await openObservers(settings, context);
  const request = {
    model: smallModel,
    recipe: recipeSchema.parse({ ...smallRecipe, epochs: EPOCHS }),
    dataset: await cutSample(200, 100),
    seed: 1,
    workers: 2,
    engine: 'native' as const,
    checkpoints: { folder: at('ck'), every: { count: 1, unit: 'epochs' as const }, keep: 9 },
  };
  for await (const _ of train({ ...request, steps, resume, observers }));
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-resumed-'));
  await runOnce(KILLED, undefined);
  // as kill -9 leaves it: the files end at step 10, the newest checkpoint is that of step 4
  for (const step of ['0000000008', '0000000010']) rmSync(at(`ck/step-${step}`), { recursive: true });
  await runOnce(undefined, at('ck'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

type Line = Record<string, unknown>;
const readLines = (name: string): Line[] =>
  readFileSync(at(name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

it.each(['out/events.jsonl', 'run.log'])(
  'cases: work 14: %s has every epoch once, and no step before one that comes earlier',
  (name) => {
    const lines = readLines(name);
    const of = (kind: string): Line[] => lines.filter(({ event }) => event === kind);
    expect(of('epoch').map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(of('start').map(({ resumedStep }) => resumedStep)).toEqual([undefined, KEPT]);
    expect(of('end').map(({ steps }) => steps)).toEqual([EPOCHS * STEPS_PER_EPOCH]);
    const steps = of('progress').map(({ epoch, step }) => (Number(epoch) - 1) * STEPS_PER_EPOCH + Number(step));
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(notes.filter((note) => note.startsWith(at(name)))).toEqual([
      expect.stringMatching(/: \d+ lines after step 4 taken out; these steps are done again$/),
    ]);
  },
);

it('cases: work 14: history.csv has every epoch once', () => {
  const [, ...rows] = readFileSync(at('out/history.csv'), 'utf8').trimEnd().split('\r\n');
  expect(rows.map((row) => row.split(',')[0])).toEqual(['1', '2', '3']);
});

const READ = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
accumulator = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'histograms': 0})
accumulator.Reload()
tags = accumulator.Tags()
steps = {t: [e.step for e in accumulator.Scalars(t)] for t in tags['scalars']}
steps.update({t: [e.step for e in accumulator.Histograms(t)] for t in tags['histograms']})
print(json.dumps(steps))
`;

describeReaders('--tensorboard, read by TensorBoard', () => {
  it('cases: work 14: has every step once, in order, and the evaluation of the checkpoint too', () => {
    const steps = runPython(READ, [at('tb')]) as Record<string, number[]>;
    expect(steps['accuracy/test']).toEqual([4, 8, 12]);
    expect(steps['parameters/0.weight']).toEqual([4, 8, 12]);
    for (const [tag, of] of Object.entries(steps)) {
      expect([tag, of]).toEqual([tag, [...new Set(of)].sort((a, b) => a - b)]);
    }
  });
});
