/** What a run leaves for others, read as they read it: one run with everything on. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../../packages/cli/dist/api/session.js';
import { openObservers } from '../../packages/cli/dist/watching/open-observers.js';
import { holdOutValidation } from '../../packages/core/dist/data/index.js';
import type { DataEvent, EpochEvent, RunEvent } from '../../packages/core/dist/events/index.js';
import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { RunMetrics } from '../../packages/watch/dist/metrics/run-metrics.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { smallModel, smallRecipe } from '../support/small-run.ts';
import { describeReaders, runPython } from './readers.ts';

const WORKERS = 2;
const EPOCHS = 2;
/** 160 images in steps of 64. */
const STEPS_PER_EPOCH = 3;
const STEPS = EPOCHS * STEPS_PER_EPOCH;

let folder = '';
let plainHash = '';
const events: RunEvent[] = [];
const notes: string[] = [];
let scraped = '';
let contentType = '';

const at = (name: string): string => path.join(folder, name);
const watchSettings = () => ({
  out: at('out'),
  tensorboard: at('tb'),
  trace: at('trace.json'),
  logFile: at('run.log'),
  logLevel: 'debug' as const,
  metrics: { host: '127.0.0.1', port: 0 },
});

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-watching-'));
  const dataset = holdOutValidation(await cutSample(200, 400), 40);
  const recipe = recipeSchema.parse({ ...smallRecipe, epochs: EPOCHS, ema: 0.9 });
  const request = { model: smallModel, recipe, dataset, seed: 1, workers: WORKERS, engine: 'native' } as const;
  for await (const event of train(request)) if (event.event === 'end') plainHash = event.parametersSha256;
  const metrics = new RunMetrics();
  const context = { resumedStep: undefined, metrics, tell: (line: string) => notes.push(line) };
  const observers = await openObservers(watchSettings(), context);
  for await (const event of train({ ...request, observers })) {
    events.push(event);
    if (event.event !== 'epoch' || event.epoch !== EPOCHS) continue;
    const response = await fetch((notes[0] as string).replace('Metrics: ', ''));
    scraped = await response.text();
    contentType = response.headers.get('content-type') ?? '';
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const readLines = (name: string): Record<string, unknown>[] =>
  readFileSync(at(name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const epochs = (): EpochEvent[] => events.flatMap((event) => (event.event === 'epoch' ? [event] : []));

it('changes no bit with everything on, and warns of nothing', () => {
  const end = events.find(({ event }) => event === 'end');
  expect(end).toMatchObject({ parametersSha256: plainHash, steps: STEPS });
  expect(events.filter(({ event }) => event === 'warning')).toEqual([]);
});

describe('--out', () => {
  it('leaves the run itself', () => {
    const run = JSON.parse(readFileSync(at('out/run.json'), 'utf8')) as Record<string, unknown>;
    expect(run).toMatchObject({
      format: 1,
      model: smallModel,
      seed: 1,
      workers: WORKERS,
      stepsPerEpoch: STEPS_PER_EPOCH,
    });
    expect(run['dataset']).toMatchObject({ train: 160, validation: 40, test: 400, classes: 10 });
    const { event: _, ...report } = events.find(({ event }) => event === 'data') as DataEvent;
    expect(run['report']).toEqual(report);
    expect(report).toMatchObject({ train: 160, validation: 40, test: 400, form: 'the embedded sample of MNIST' });
  });

  it('leaves every event with its time', () => {
    const lines = readLines('out/events.jsonl');
    const kinds = (all: readonly { event?: unknown }[]) =>
      all.map(({ event }) => event).filter((e) => e !== 'progress');
    expect(kinds(lines)).toEqual(kinds(events));
    for (const { time } of lines) expect(new Date(time as string).toISOString()).toBe(time);
    const { time: _, ...last } = lines.at(-1) as Record<string, unknown>;
    expect(last).toEqual(events.findLast(({ event }) => event === 'end'));
  });

  it('leaves a table of the epochs, to the digit', () => {
    const [header, ...rows] = readFileSync(at('out/history.csv'), 'utf8').trimEnd().split('\r\n');
    const columns = (header as string).split(',');
    const table = rows.map((row) => Object.fromEntries(row.split(',').map((cell, i) => [columns[i], Number(cell)])));
    expect(table).toHaveLength(EPOCHS);
    for (const [index, event] of epochs().entries()) {
      const { epoch, learningRate, trainLoss, trainAccuracy, testLoss, testAccuracy, seconds, imagesPerSecond } = event;
      expect(table[index]).toEqual({
        ...{ epoch, learningRate, trainLoss, trainAccuracy, testLoss, testAccuracy, seconds, imagesPerSecond },
        step: epoch * STEPS_PER_EPOCH,
        validationLoss: event.validation?.loss,
        validationAccuracy: event.validation?.accuracy,
        emaTestLoss: event.ema?.testLoss,
        emaTestAccuracy: event.ema?.testAccuracy,
        emaValidationLoss: event.ema?.validation?.loss,
        emaValidationAccuracy: event.ema?.validation?.accuracy,
      });
    }
  });

  it('refuses the folder of another run, and adds to that of a resumed one', async () => {
    const settings = { ...watchSettings(), tensorboard: undefined, trace: undefined, logFile: undefined };
    const context = { metrics: undefined, tell: () => {} };
    await expect(
      openObservers({ ...settings, metrics: undefined }, { ...context, resumedStep: undefined }),
    ).rejects.toThrow('LOCKSTEP_OUT_EXISTS');
    const before = readLines('out/events.jsonl').length;
    const [resumed] = await openObservers({ ...settings, metrics: undefined }, { ...context, resumedStep: STEPS });
    resumed?.onEvent?.({ event: 'paused', step: STEPS });
    await resumed?.close?.();
    expect(readLines('out/events.jsonl')).toHaveLength(before + 1);
  });
});

describe('--log-file', () => {
  it('has a line of pino for every event, at its level', () => {
    const lines = readLines('run.log');
    expect(lines.map(({ event }) => event)).toEqual(events.map(({ event }) => event));
    for (const { level, event, time, msg } of lines) {
      expect(level).toBe(event === 'progress' ? 20 : 30);
      expect(typeof time).toBe('number');
      expect(msg).toEqual(expect.stringMatching(/./));
    }
  });
});

/** The Trace Event Format, as far as a run uses it. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly cat?: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid?: number;
  readonly s?: string;
  readonly args: Record<string, unknown>;
}

describe('--trace', () => {
  let trace: TraceEvent[] = [];
  beforeAll(() => {
    trace = JSON.parse(readFileSync(at('trace.json'), 'utf8')) as TraceEvent[];
  });
  const slices = (cat: string): TraceEvent[] => trace.filter((event) => event.ph === 'X' && event.cat === cat);

  it('has the form of every kind of event', () => {
    for (const event of trace) {
      expect(typeof event.name).toBe('string');
      expect(Number.isInteger(event.pid)).toBe(true);
      if (event.ph === 'M') {
        expect(['process_name', 'thread_name']).toContain(event.name);
        expect(typeof event.args['name']).toBe('string');
        continue;
      }
      expect(Number.isInteger(event.ts) && (event.ts as number) >= 0).toBe(true);
      if (event.ph === 'X') expect(Number.isInteger(event.dur) && (event.dur as number) >= 0).toBe(true);
      else if (event.ph === 'i') expect(event.s).toBe('g');
      else if (event.ph === 'C') for (const value of Object.values(event.args)) expect(typeof value).toBe('number');
      else throw new Error(`an event of kind ${event.ph}`);
    }
  });

  it('names every process and thread that has events', () => {
    const named = new Set(trace.filter(({ name }) => name === 'thread_name').map(({ pid, tid }) => `${pid} ${tid}`));
    const processes = new Set(trace.filter(({ name }) => name === 'process_name').map(({ pid }) => pid));
    for (const { ph, pid, tid } of trace) {
      expect(processes).toContain(pid);
      if (ph === 'X' || ph === 'i') expect(named).toContain(`${pid} ${tid}`);
    }
  });

  it('has slices that never overlap on a thread: what Perfetto would drop', () => {
    const ends = new Map<string, number>();
    const all = trace.filter(({ ph }) => ph === 'X').sort((a, b) => (a.ts as number) - (b.ts as number));
    for (const { pid, tid, ts = 0, dur = 0 } of all) {
      const thread = `${pid} ${tid}`;
      expect(ts).toBeGreaterThanOrEqual(ends.get(thread) ?? 0);
      ends.set(thread, ts + dur);
    }
  });

  it('has the shards and the update of every worker in every step, every step, epoch and evaluation', () => {
    const key = ({ tid, args }: TraceEvent): string => `${tid} ${args['step']}`;
    const expected = Array.from(
      { length: WORKERS * STEPS },
      (_, i) => `${i % WORKERS} ${Math.floor(i / WORKERS)}`,
    ).sort();
    for (const phase of ['contribute', 'update']) {
      expect(
        slices('phase')
          .filter(({ name }) => name === phase)
          .map(key)
          .sort(),
      ).toEqual(expected);
    }
    expect(slices('step').map(({ name }) => name)).toEqual(Array.from({ length: STEPS }, (_, step) => `step ${step}`));
    expect(slices('epoch').map(({ name }) => name)).toEqual(['epoch 1', 'epoch 2']);
    const splits = ['test', 'validation', 'test, moving average', 'validation, moving average'];
    expect(slices('evaluation').map(({ name }) => name)).toEqual([...splits, ...splits]);
  });
});

const READ_EVENTS = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
accumulator = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'histograms': 0, 'images': 0, 'tensors': 0})
accumulator.Reload()
tags = accumulator.Tags()
hparams = {}
for tag, content in accumulator.PluginTagToContent('hparams').items():
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    hparams[tag] = {
        'kind': data.WhichOneof('data'),
        'values': {k: getattr(v, v.WhichOneof('kind')) for k, v in data.session_start_info.hparams.items()},
        'metrics': [m.name.tag for m in data.experiment.metric_infos],
        'types': {i.name: i.type for i in data.experiment.hparam_infos},
        'status': data.session_end_info.status,
    }
print(json.dumps({
    'scalars': {t: [[e.step, e.value] for e in accumulator.Scalars(t)] for t in tags['scalars']},
    'histograms': {t: [{'step': e.step, 'num': e.histogram_value.num, 'min': e.histogram_value.min,
        'max': e.histogram_value.max, 'buckets': sum(e.histogram_value.bucket)} for e in accumulator.Histograms(t)] for t in tags['histograms']},
    'images': {t: [[e.step, e.width, e.height, e.encoded_image_string.hex()[:16]] for e in accumulator.Images(t)] for t in tags['images']},
    'hparams': hparams,
}))
`;

interface ReadEvents {
  readonly scalars: Record<string, [number, number][]>;
  readonly histograms: Record<string, { step: number; num: number; min: number; max: number; buckets: number }[]>;
  readonly images: Record<string, [number, number, number, string][]>;
  readonly hparams: Record<string, Record<string, unknown>>;
}

describeReaders('--tensorboard, read by TensorBoard', () => {
  let read: ReadEvents;
  beforeAll(() => {
    expect(readdirSync(at('tb'))).toEqual([expect.stringMatching(/^events\.out\.tfevents\.\d+\./)]);
    read = runPython(READ_EVENTS, [at('tb')]) as ReadEvents;
  });

  it('has the curves', () => {
    const curve = (figure: (event: EpochEvent) => number | undefined) =>
      epochs().map((event) => [event.epoch * STEPS_PER_EPOCH, Math.fround(figure(event) as number)]);
    expect(read.scalars['loss/train']).toEqual(curve(({ trainLoss }) => trainLoss));
    expect(read.scalars['accuracy/test']).toEqual(curve(({ testAccuracy }) => testAccuracy));
    expect(read.scalars['loss/validation']).toEqual(curve(({ validation }) => validation?.loss));
    expect(read.scalars['accuracy/test of average']).toEqual(curve(({ ema }) => ema?.testAccuracy));
    expect(read.scalars['learning rate']?.at(-1)).toEqual([STEPS, Math.fround(smallRecipe.learningRate)]);
    expect(read.scalars['loss/step']?.at(-1)?.[0]).toBe(STEPS);
  });

  it('has histograms of every parameter and its gradient after each epoch, with all of their values', () => {
    const names = ['0.weight', '0.bias', '1.weight', '1.bias', '6.weight', '6.bias'];
    const tags = names.flatMap((name) => [`gradients/${name}`, `parameters/${name}`]);
    expect(Object.keys(read.histograms).sort()).toEqual(tags.sort());
    for (const list of Object.values(read.histograms)) {
      expect(list.map(({ step }) => step)).toEqual([STEPS_PER_EPOCH, STEPS]);
      for (const { num, buckets, min, max } of list) {
        expect(num).toBeGreaterThan(0);
        expect(buckets).toBe(num);
        expect(min).toBeLessThanOrEqual(max);
      }
    }
    expect(read.histograms['parameters/0.weight']?.[0]?.num).toBe(4 * 25);
  });

  it('has mistakes as PNG images', () => {
    const images = Object.values(read.images).flat();
    expect(images.length).toBeGreaterThan(0);
    for (const [, width, height, head] of images) expect([width, height, head]).toEqual([28, 28, '89504e470d0a1a0a']);
  });

  it('has the hyper-parameters, what runs are compared by, and how the run ended', () => {
    expect(read.hparams['_hparams_/session_start_info']?.['values']).toMatchObject({
      ...{ model: 'small', seed: 1, batchSize: 64, epochs: EPOCHS, ema: 0.9 },
      'augmentation.rotation': 10,
    });
    const { metrics, types } = read.hparams['_hparams_/experiment'] as { metrics: string[]; types: object };
    expect(metrics.filter((tag) => !(tag in read.scalars))).toEqual([]);
    expect(types).toMatchObject({ model: 1, batchSize: 3 });
    const SUCCESS = 1;
    expect(read.hparams['_hparams_/session_end_info']?.['status']).toBe(SUCCESS);
  });
});

const READ_METRICS = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(sys.stdin.read()))
# the delay of an event loop of which nothing was sampled is not a number, which JSON does not have
number = lambda value: value if value == value else None
print(json.dumps([[f.name, f.type, f.documentation, [[s.name, s.labels, number(s.value)] for s in f.samples]] for f in families]))
`;

type Family = readonly [name: string, type: string, help: string, samples: [string, Record<string, string>, number][]];

describeReaders("--metrics, read by Prometheus' parser", () => {
  let families: readonly Family[] = [];
  beforeAll(() => {
    families = runPython(READ_METRICS, [], scraped) as Family[];
  });
  const sampleOf = (name: string, labels: Record<string, string> = {}): number | undefined =>
    families
      .flatMap(([, , , samples]) => samples)
      .find(([n, l]) => n === name && Object.entries(labels).every(([key, value]) => l[key] === value))?.[2];

  it('has the figures of the run', () => {
    const last = epochs().at(-1) as EpochEvent;
    expect(contentType).toContain('text/plain; version=0.0.4');
    expect(sampleOf('lockstep_steps_total')).toBe(STEPS);
    expect(sampleOf('lockstep_images_total')).toBe(EPOCHS * 160);
    expect(sampleOf('lockstep_step')).toBe(STEPS);
    expect(sampleOf('lockstep_evaluation_accuracy_ratio', { split: 'test', of: 'state' })).toBe(last.testAccuracy);
    expect(sampleOf('lockstep_evaluation_loss', { split: 'validation', of: 'average' })).toBe(
      last.ema?.validation?.loss,
    );
    for (let worker = 0; worker < WORKERS; worker++) {
      const labels = { node: 'coordinator', worker: String(worker), phase: 'contribute' };
      expect(sampleOf('lockstep_phase_seconds_total', labels)).toBeGreaterThan(0);
    }
    expect(sampleOf('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  it('has a help text for each, and docs/watching.md lists every one of ours and no other', () => {
    for (const [name, , help] of families) expect([name, help]).toEqual([name, expect.stringMatching(/./)]);
    const document = readFileSync(path.resolve(import.meta.dirname, '../../docs/watching.md'), 'utf8');
    const listed = [...document.matchAll(/^\| `(lockstep_\w+)`/gm)].map(([, name]) => name as string);
    // the parser takes _total off a counter's name
    const own = families
      .filter(([name]) => name.startsWith('lockstep_'))
      .map(([name, type]) => (type === 'counter' ? `${name.replace(/_total$/, '')}_total` : name));
    expect(own.sort()).toEqual(listed.sort());
  });
});
