/** One rule for every setting of a run: flag, config file and library take and refuse the same values, in the same words. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../../packages/cli/dist/index.js';
import { resolveRun } from '../../packages/cli/dist/settings/run-settings.js';
import { metricNames } from '../../packages/core/dist/events/index.js';
import { engineNames } from '../../packages/core/dist/seams/index.js';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-one-check-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Setting {
  /** As commander and a config file have it. */
  readonly name: string;
  /** As a program gives it. */
  readonly give: (value: unknown) => object;
  readonly good: fc.Arbitrary<unknown>;
  readonly bad: fc.Arbitrary<unknown>;
}

const MOST = Number.MAX_SAFE_INTEGER;
const whole = (min: number, max: number) => fc.integer({ min, max });
/** What is no whole number of at least `min` and at most `max`. */
const notWhole = (min: number, max = MOST) =>
  fc.oneof(
    fc.integer({ min: min - 1000, max: min - 1 }),
    fc.integer({ min: 0, max: 1000 }).map((value) => value + 0.5),
    max === MOST ? fc.constant(2 ** 60) : fc.integer({ min: max + 1, max: max + 1000 }),
  );
/** JSON has no infinite numbers, and neither do flags. */
const notFraction = fc.oneof(
  fc.double({ min: -10, max: 0, noNaN: true }),
  fc.double({ min: 1.001, max: 1e6, noNaN: true }),
);
const word = fc.stringMatching(/^[a-z]{1,12}$/);
const oneOf = (names: readonly string[]) => ({
  good: fc.constantFrom(...names),
  bad: word.filter((text) => !names.includes(text)),
});

const plain = (name: string, more: Pick<Setting, 'good' | 'bad'>): Setting => ({
  name,
  give: (value) => ({ [name]: value }),
  ...more,
});
const ofRecipe = (name: string, more: Pick<Setting, 'good' | 'bad'>): Setting => ({
  ...plain(name, more),
  give: (value) => ({ recipe: { [name]: value } }),
});
const ofCheckpoints = (name: string, more: Pick<Setting, 'good' | 'bad'>): Setting => ({
  ...plain(name, more),
  give: (value) => ({ checkpoints: { folder: 'ckpt', [name]: value } }),
});
const count = (min: number, max = MOST) => ({ good: whole(min, Math.min(max, 2 ** 31)), bad: notWhole(min, max) });

const settings: readonly Setting[] = [
  plain('seed', count(0)),
  plain('steps', count(1)),
  plain('until', { good: fc.double({ min: 0.001, max: 1, noNaN: true }), bad: notFraction }),
  plain('patience', count(1)),
  plain('best', oneOf(metricNames)),
  plain('evaluate', oneOf(['epochs', 'end'])),
  plain('engine', oneOf(engineNames)),
  plain('validation', count(0)),
  plain('workers', { good: whole(1, 1024), bad: fc.integer({ min: 1, max: 9 }).map((value) => value + 0.5) }),
  plain('replaceHead', { ...count(2, 65_536), good: fc.nat(0).map(() => 10) }),
  ofCheckpoints('keep', count(1)),
  ofCheckpoints('every', {
    good: fc.tuple(whole(1, 1e9), fc.constantFrom('steps', 'epochs')).map((parts) => parts.join(' ')),
    bad: fc.oneof(word, fc.constantFrom('0 steps', '1.5 epochs', '-1 steps', '500')),
  }),
  ofRecipe('epochs', { good: whole(1, 1e6), bad: fc.constantFrom(0, -1, 1.5) }),
  ofRecipe('batchSize', { good: whole(1, 65_536), bad: fc.constantFrom(0, 0.5, 65_537) }),
  ofRecipe('shardSize', { good: whole(1, 256).map((n) => 16 * n), bad: fc.constantFrom(0, 8, 17, 8192) }),
  ofRecipe('learningRate', { good: fc.double({ min: 1e-9, max: 10, noNaN: true }), bad: fc.constantFrom(0, -1) }),
  ofRecipe('warmupSteps', { good: whole(0, 1e6), bad: fc.constantFrom(-1, 0.5) }),
  ofRecipe('dropout', { good: fc.double({ min: 0, max: 0.99, noNaN: true }), bad: fc.constantFrom(-0.1, 1, 2) }),
  ofRecipe('labelSmoothing', { good: fc.double({ min: 0, max: 1, noNaN: true }), bad: fc.constantFrom(-0.1, 1.1) }),
  ofRecipe('clipNorm', { good: fc.double({ min: 1e-3, max: 9, noNaN: true }), bad: fc.constantFrom(0, -1) }),
  ofRecipe('ema', { good: fc.double({ min: 0.01, max: 0.99, noNaN: true }), bad: fc.constantFrom(0, 1, -1) }),
];

/** Data that are not there are looked for once the options are found good: nothing is read, and no thread starts. */
const ABSENT = '/nowhere/at/all';

/** What is wrong with a value, without the name and the value; undefined when it is taken. */
async function judge(run: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    const { code, text } = error as { code: string; text: string };
    if (code === 'LOCKSTEP_DATA_PATH' || code === 'LOCKSTEP_WEIGHTS_READ') return undefined;
    expect(['LOCKSTEP_CLI_OPTION', 'LOCKSTEP_CONFIG', 'LOCKSTEP_OPTION', 'LOCKSTEP_RECIPE']).toContain(code);
    return /: ((?:must|needs) .*)$/.exec(text)?.[1] ?? text;
  }
}

/** Others that a setting needs beside it. */
const beside = ({ name }: Setting): Record<string, string> =>
  name === 'replaceHead' ? { weights: ABSENT } : name === 'every' || name === 'keep' ? { checkpoint: 'ckpt' } : {};

async function judgeThrice(setting: Setting, value: unknown) {
  const { name, give } = setting;
  const more = beside(setting);
  const text = String(value);
  const config = path.join(folder, 'run.json');
  writeFileSync(config, JSON.stringify({ ...more, [name]: value }));
  const { checkpoint: _, ...given } = more;
  return {
    flag: await judge(() => resolveRun(undefined, { ...more, [name]: text }, 2)),
    config: await judge(() => resolveRun(undefined, { config }, 2)),
    library: await judge(() => train({ data: ABSENT, ...given, ...give(value) }).result()),
  };
}

describe('flag, config file and library', () => {
  it.each(settings.map((setting) => [setting.name, setting] as const))('take every %s in range', async (_, setting) => {
    await fc.assert(
      fc.asyncProperty(setting.good, async (value) => {
        expect(await judgeThrice(setting, value)).toEqual({ flag: undefined, config: undefined, library: undefined });
      }),
      { numRuns: 20 },
    );
  });

  it.each(settings.map((setting) => [setting.name, setting] as const))(
    'refuse every %s out of range with one sentence',
    async (name, setting) => {
      await fc.assert(
        fc.asyncProperty(setting.bad, async (value) => {
          const { flag, config, library } = await judgeThrice(setting, value);
          expect(flag).toMatch(/^must be /);
          expect(config).toBe(flag);
          // a program has no other machines that could compute for it
          expect(library).toBe(name === 'workers' ? flag?.replace('from 0', 'from 1') : flag);
        }),
        { numRuns: 20 },
      );
    },
  );
});
