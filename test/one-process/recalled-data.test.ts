/** A run that goes on knows its data: nothing about it has to be said again, and other data is told from it. */
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createArrayDataset, train } from '../../packages/cli/dist/index.js';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { loadEmbedded } from '../../packages/core/dist/data/mnist/index.js';
import { ownData, writeOwnData } from '../support/own-data.js';

const SIDE = 12;
let folder = '';
let bars = '';
const at = (name: string): string => path.join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-recalled-'));
  vi.stubEnv('LOCKSTEP_CACHE', at('cache'));
  bars = writeOwnData(at('.'));
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function run(...argv: string[]) {
  const io = new RecordingIo();
  io.env = { LOCKSTEP_CACHE: at('cache') };
  const code = await main(argv, io);
  const events = io.stdout.lines.flatMap((line) =>
    line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : [],
  );
  return { code, error: io.stderr.text, events, hash: events.at(-1)?.['parametersSha256'] };
}

const COMMON = ['--json', '--no-save', '--workers', '2'];
const begin = (name: string, ...argv: string[]) =>
  run('train', bars, ...argv, ...COMMON, '--batch-size', '32', '--steps', '3', '--checkpoint', at(name));

describe('cases: work 13: a resumed run needs no word about its data', () => {
  it.each(Object.entries(ownData))('%s', async (name, flags) => {
    const argv = flags.map((word, i) => (flags[i - 1] === '--data' ? at(word) : word));
    const folderName = name.replaceAll(/\W/g, '');
    const first = await begin(folderName, ...argv);
    expect(first.code, first.error).toBe(0);
    const resumed = await run('train', '--resume', at(folderName), ...COMMON, '--steps', '6', '--no-checkpoint');
    expect(resumed.code, resumed.error).toBe(0);
    const whole = await run('train', bars, ...argv, ...COMMON, '--batch-size', '32', '--steps', '6');
    expect(resumed.hash).toBe(whole.hash);
    const { validationSamples, testSamples, trainSamples } = whole.events[0] as Record<string, unknown>;
    expect(resumed.events[0]).toMatchObject({ validationSamples, testSamples, trainSamples, resumedStep: 3 });
  });

  it('the embedded sample, whatever else there is by now, and a path by a program', async () => {
    const start = { recipe: { batchSize: 16 }, steps: 1, workers: 2 };
    const sample = { ...start, data: await loadEmbedded(), checkpoints: { folder: at('sample') } };
    await train(sample).result();
    const resumed = await run('train', '--resume', at('sample'), ...COMMON, '--steps', '2', '--no-checkpoint');
    expect(resumed.code, resumed.error).toBe(0);
    expect(resumed.events[0]).toMatchObject({ trainSamples: 8500, resumedStep: 1 });
    const own = { ...start, model: bars, data: at('idx'), validation: 20, checkpoints: { folder: at('program') } };
    await train(own).result();
    const events = [];
    for await (const event of train({ resume: at('program'), steps: 2, workers: 2 })) events.push(event);
    expect(events[0]).toMatchObject({ event: 'start', trainSamples: 180, validationSamples: 20 });
  });
});

describe('a run that is evaluated', () => {
  const mistakes = ['--json', '--workers', '2', '--mistakes', '0'];

  it.each(Object.entries(ownData))(
    'is evaluated on its own data, %s, and has the accuracy that it ended with',
    async (name, flags) => {
      const argv = flags.map((word, i) => (flags[i - 1] === '--data' ? at(word) : word));
      const out = at(`evaluated-${name.replaceAll(/\W/g, '')}`);
      const shared = ['--json', '--workers', '2', '--batch-size', '32', '--steps', '3'];
      const trained = await run('train', bars, ...argv, ...shared, '--out', out);
      expect(trained.code, trained.error).toBe(0);
      const { code, error, events } = await run(
        'evaluate',
        '--weights',
        path.join(out, 'last.safetensors'),
        ...mistakes,
      );
      expect(code, error).toBe(0);
      expect(error).toContain(`note: the data are those of the run of ${path.join(out, 'run.json')}, ${folder}`);
      const { testCorrect, testTotal, testAccuracy } = trained.events.at(-1) as Record<string, unknown>;
      expect(events[0]).toMatchObject({ correct: testCorrect, total: testTotal, accuracy: testAccuracy });
    },
  );

  it('on data that are gone ends with where they were; on others that are named it says nothing of its own', async () => {
    const out = at('evaluated-gone');
    const shared = ['--json', '--workers', '2', '--steps', '3'];
    expect((await run('train', bars, '--data', at('idx'), ...shared, '--out', out)).code).toBe(0);
    renameSync(at('idx'), at('away'));
    try {
      const gone = await run('evaluate', '--weights', out, ...mistakes);
      expect({ code: gone.code, events: gone.events }).toEqual({ code: 2, events: [] });
      expect(gone.error).toMatch(/LOCKSTEP_CONFIG_RUN: the run of .*run\.json was trained on .*: there is nothing at /);
      const named = await run('evaluate', '--weights', out, ...mistakes, '--data', at('away'));
      expect({ code: named.code, error: named.error }).toEqual({ code: 0, error: '' });
    } finally {
      renameSync(at('away'), at('idx'));
    }
  });
});

describe('data that is not what the checkpoint was written with', () => {
  it('cases: work 13: is asked for by name, with what is to be given, when it is gone or another', async () => {
    await begin('moved', '--data', at('idx'), '--validation', '50');
    renameSync(at('idx'), at('away'));
    const resume = ['train', '--resume', at('moved'), ...COMMON, '--no-checkpoint', '--steps', '6'];
    const trained = `the run of step 3 was trained on 200 \\+ 40 images from ${at('idx')} \\(50 held out\\), SHA-256 [0-9a-f]{12}\\.\\.\\.: `;
    try {
      const gone = await run(...resume);
      expect({ code: gone.code, events: gone.events }).toEqual({ code: 2, events: [] });
      expect(gone.error).toMatch(
        new RegExp(
          `LOCKSTEP_CHECKPOINT_DATA: ${trained}there is nothing at ${at('idx')}\\. Say where the same data is with --data PATH\\.`,
        ),
      );
      // found again under its new name: no word about the rest
      expect((await run(...resume, '--data', at('away'))).code).toBe(0);
      renameSync(at('other'), at('idx'));
      const another = await run(...resume);
      expect(another.code).toBe(2);
      expect(another.error).toMatch(
        new RegExp(
          `LOCKSTEP_CHECKPOINT_DATA: ${trained}there is now 180 \\+ 40 images from ${at('idx')} \\(50 held out\\), SHA-256 `,
        ),
      );
      const named = await run(...resume, '--data', at('idx'));
      expect(named.code).toBe(2);
      expect(named.error).toMatch(
        new RegExp(
          `LOCKSTEP_CHECKPOINT_DATA: ${trained}this is 180 \\+ 40 images .* Give the same --data and --validation as before`,
        ),
      );
      renameSync(at('idx'), at('other'));
    } finally {
      renameSync(at('away'), at('idx'));
    }
  });

  it('of a program is asked for, and nothing else is tried', async () => {
    const images = new Uint8Array(64 * SIDE * SIDE).fill(7);
    const split = { images, labels: Array.from({ length: 64 }, (_, i) => i % 10) };
    const data = createArrayDataset({ channels: 1, height: SIDE, width: SIDE, classes: 10, train: split, test: split });
    await train({ model: bars, data, steps: 1, workers: 1, checkpoints: { folder: at('arrays') } }).result();
    await expect(train({ resume: at('arrays') }).result()).rejects.toThrow(
      /^LOCKSTEP_CHECKPOINT_DATA: the run of step 1 was trained on 64 \+ 64 images from arrays, SHA-256 [0-9a-f]{12}\.\.\.: a program made it\./,
    );
    await train({ resume: at('arrays'), data, steps: 2, workers: 1 }).result();
  });
});
