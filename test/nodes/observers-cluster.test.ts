/** Those who watch a run of several nodes: the same figures, the same bits. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TrainRequest, train } from '../../packages/cli/dist/api/session.js';
import type { RunEvent, StepTimes } from '../../packages/core/dist/events/index.js';
import { RunControl, type RunView } from '../../packages/core/dist/seams/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { SMALL_STEPS_PER_EPOCH, smallModel, smallRecipe } from '../support/small-run.ts';

const BIN = path.resolve(import.meta.dirname, '../../packages/cli/dist/bin.js');
const STEPS = 6;

let cache = '';
let node: ChildProcess | undefined;
const request: Omit<TrainRequest, 'dataset'> = {
  ...{ model: smallModel, recipe: smallRecipe, seed: 1, workers: 1, steps: STEPS },
  engine: 'native',
};

beforeAll(() => {
  cache = mkdtempSync(path.join(tmpdir(), 'lockstep-watched-nodes-'));
});

afterAll(async () => {
  if (node && node.exitCode === null) {
    const ended = once(node, 'exit');
    node.kill('SIGKILL');
    await ended;
  }
  rmSync(cache, { recursive: true });
});

interface Watched {
  readonly hash: string | undefined;
  readonly times: readonly StepTimes[];
  readonly gradient: readonly Float32Array[] | undefined;
}

async function watch(more: Partial<TrainRequest>, onEvent: (event: RunEvent) => void = () => {}): Promise<Watched> {
  const dataset = await cutSample(200, 400);
  const times: StepTimes[] = [];
  let view: RunView | undefined;
  let gradient: readonly Float32Array[] | undefined;
  let hash: string | undefined;
  const observer = {
    name: 'test',
    begin: (run: RunView) => {
      view = run;
    },
    onSteps: (some: readonly StepTimes[]) => void times.push(...some),
    onEvaluated: () => {
      gradient = view?.readGradient();
    },
  };
  for await (const event of train({ ...request, ...more, dataset, observers: [observer] })) {
    onEvent(event);
    if (event.event === 'end') hash = event.parametersSha256;
  }
  return { hash, times, gradient };
}

const join = (url: string): void => {
  const argv = [BIN, 'worker', '--connect', url, '--threads', '1', '--name', 'helper'];
  node = spawn(process.execPath, argv, { stdio: 'ignore', env: { ...process.env, LOCKSTEP_CACHE: cache } });
};

it('have the times of both nodes in every step, the gradient and the bits of a run alone, paused or not', async () => {
  const alone = await watch({});
  const control = new RunControl();
  const settings = {
    host: '127.0.0.1',
    port: 0,
    waitFor: 1,
    expect: 0,
    token: undefined,
    topology: 'star',
    audit: 0,
  } as const;
  const steps: number[] = [];
  const shared = await watch({ control, cluster: { ...settings, tlsCert: undefined, tlsKey: undefined } }, (event) => {
    if (event.event === 'listening') join(event.url);
    if (event.event === 'paused') {
      steps.push(event.step);
      queueMicrotask(() => control.resume());
    }
    if (event.event === 'epoch') control.pause();
    // in the middle of the next segment, wherever that is
    if (event.event === 'resumed') setImmediate(() => control.pause());
  });
  expect(shared.hash).toBe(alone.hash);
  expect(steps).toContain(SMALL_STEPS_PER_EPOCH);
  for (const name of ['coordinator', 'helper']) {
    const own = shared.times.filter(({ node: who }) => who === name);
    expect(own.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, step) => step));
    for (const one of own) {
      expect(one.worker).toBeUndefined();
      for (const part of [one.contributeMs, one.exchangeMs, one.updateMs]) expect(part).toBeGreaterThanOrEqual(0);
      expect([one.waitMs, one.commitMs]).toEqual([0, 0]);
    }
  }
  const bytes = (vectors: readonly Float32Array[] | undefined): string =>
    Buffer.concat((vectors ?? []).map((v) => Buffer.from(v.buffer, v.byteOffset, v.byteLength))).toString('hex');
  expect(bytes(shared.gradient)).toBe(bytes(alone.gradient));
});
