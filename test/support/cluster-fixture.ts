/** What tests of clusters share: made-up data, and runs and nodes on it as real CLI processes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { BAR_CLASSES as CLASSES, drawBars, makeBars, BAR_SIDE as SIDE } from './bars-model.ts';
import { writeIdxSplit } from './idx-split.ts';
import { Program } from './program.ts';
import { runHere } from './program-here.ts';

export const BIN = path.resolve(import.meta.dirname, '../../packages/cli/dist/bin.js');
/** 9 steps an epoch, the last of one shard. */
const TRAIN_COUNT = 1040;
const TEST_COUNT = 90;

const bars = makeBars({ epochs: 100, batchSize: 128 });

/** Features of a dense layer that is large enough for a wave stage, so that its vector has a tail that is final early. */
const WIDE = 160;

/** The same with such a layer. */
const widen = (outFeatures: number) => ({
  ...bars,
  name: 'wide',
  layers: [
    ...bars.layers.slice(0, -1),
    { type: 'linear', outFeatures },
    { type: 'relu' },
    { type: 'linear', outFeatures: CLASSES },
  ],
});

export class Fixture {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'lockstep-cluster-'));
  readonly model = path.join(this.folder, 'bars.json');
  readonly data = path.join(this.folder, 'data');
  readonly token = path.join(this.folder, 'token');
  readonly running = new Set<Program>();
  /** The hash that runs are to have: that of one process with one worker. */
  expected = '';

  /** @param wide whether the model has a dense layer more, or of how many features */
  constructor(wide: boolean | number = false) {
    mkdirSync(this.data);
    this.#writeSplit('train', TRAIN_COUNT);
    this.#writeSplit('t10k', TEST_COUNT);
    writeFileSync(this.model, JSON.stringify(wide === false ? bars : widen(wide === true ? WIDE : wide)));
    writeFileSync(this.token, 'a token for the tests\n');
  }

  #writeSplit(stem: 'train' | 't10k', count: number): void {
    const { pixels, labels } = drawBars(count);
    writeIdxSplit(this.data, stem, SIDE, pixels, labels);
  }

  /** A run of `steps` steps; without further flags in one process with one worker. */
  train(
    steps: number,
    flags: readonly string[] = [],
    env: Record<string, string> = {},
    prefix: readonly string[] = [],
  ): Program {
    const workers = flags.includes('--workers') ? [] : ['--workers', '1'];
    const args = [
      'train',
      this.model,
      '--data',
      this.data,
      '--steps',
      String(steps),
      '--no-save',
      '--json',
      ...workers,
    ];
    return this.#start([...args, ...flags], env, prefix);
  }

  /** The hash of a run alone: in the test's own process, with one worker. */
  async hashAlone(steps: number, flags: readonly string[] = []): Promise<string> {
    const run = ['train', this.model, '--data', this.data, '--steps', String(steps), '--no-save', '--json'];
    const { code, out, error } = await runHere(this.folder, [...run, '--workers', '1', ...flags]);
    if (code !== 0) throw new Error(error);
    return String(JSON.parse(out.trimEnd().split('\n').at(-1) as string)['parametersSha256']);
  }

  listen(steps: number, flags: readonly string[] = [], env: Record<string, string> = {}): Program {
    return this.train(steps, ['--listen', '127.0.0.1:0', '--token-file', this.token, ...flags], env);
  }

  worker(
    url: string,
    flags: readonly string[] = [],
    env: Record<string, string> = {},
    prefix: readonly string[] = [],
  ): Program {
    const threads = flags.includes('--threads') ? [] : ['--threads', '1'];
    const token = flags.some((flag) => /^--(token-file|no-token)$/.test(flag)) ? [] : ['--token-file', this.token];
    const data = flags.includes('--no-data') ? [] : ['--data', this.data];
    const rest = flags.filter((flag) => flag !== '--no-data' && flag !== '--no-token');
    return this.#start(['worker', '--connect', url, ...threads, ...token, ...data, ...rest], env, prefix);
  }

  /** One of the processes of a run that `lockstep launch` makes: the same line in each, and its own rank. */
  launch(
    steps: number,
    rank: number,
    size: number,
    port: number,
    flags: readonly string[] = [],
    env: Record<string, string> = {},
  ): Program {
    const run = ['--data', this.data, '--steps', String(steps), '--no-save', '--json', '--workers', '1'];
    return this.#start(
      ['launch', this.model, ...run, ...flags],
      {
        LOCKSTEP_RANK: String(rank),
        LOCKSTEP_SIZE: String(size),
        LOCKSTEP_COORDINATOR: `127.0.0.1:${port}`,
        LOCKSTEP_TOKEN_FILE: this.token,
        ...env,
      },
      [],
    );
  }

  #start(args: readonly string[], env: Record<string, string>, prefix: readonly string[]): Program {
    const program = new Program([...prefix, process.execPath, BIN, ...args], {
      LOCKSTEP_CACHE: path.join(this.folder, 'cache'),
      LOCKSTEP_SILENCE_MS: '3000',
      LOCKSTEP_NODE_DEADLINE_MS: '1000',
      LOCKSTEP_EVEN: '1',
      ...env,
    });
    this.running.add(program);
    return program;
  }

  /** Ends whatever a test has left. */
  async clear(): Promise<void> {
    for (const program of this.running) program.kill('SIGKILL');
    await Promise.all([...this.running].map((program) => program.exit));
    this.running.clear();
  }

  async remove(): Promise<void> {
    await this.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * A fixture whose processes end with each test, and which goes with the last.
 *
 * @param steps of the run whose hash is `expected`; none: it is not needed
 */
export function useFixture(steps?: number, flags: readonly string[] = []): Fixture {
  const fixture = new Fixture();
  beforeAll(async () => {
    if (steps !== undefined) fixture.expected = await fixture.hashAlone(steps, flags);
  });
  afterEach(() => fixture.clear());
  afterAll(() => fixture.remove());
  return fixture;
}
