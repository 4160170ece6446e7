/** A run is run again by its run.json: the same bits, in another working folder, and what is not as it was is told. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { ownData, writeOwnData } from '../support/own-data.js';

const home = process.cwd();
let folder = '';
let bars = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-again-'));
  vi.stubEnv('LOCKSTEP_CACHE', path.join(folder, 'cache'));
  vi.stubEnv('LOCKSTEP_OFFLINE', '1');
  bars = path.resolve(writeOwnData(folder));
  for (const name of ['first', 'again']) mkdirSync(path.join(folder, name));
});

afterAll(() => {
  process.chdir(home);
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Runs a command in one of the working folders. */
async function runIn(name: string, ...argv: readonly string[]) {
  process.chdir(path.join(folder, name));
  const io = new RecordingIo();
  io.env = { ...process.env };
  const code = await main([...argv, '--json', '--workers', '2'], io);
  const events = io.stdout.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const { parametersSha256: hash, steps } = events.at(-1) ?? {};
  // what is odd about the data is told of each run
  const error = io.stderr.text.replace(/^warning: .* training images .*\n/gm, '');
  return { code, error, start: events[0], hash, steps };
}

/** Trains in one folder, by paths from there. @returns the run's folder, as the other working folder names it, and how it ended */
async function trainFirst(name: string, ...argv: readonly string[]) {
  const below = argv.map((word, i) => (['--data', '--weights'].includes(argv[i - 1] ?? '') ? `../${word}` : word));
  const ended = await runIn('first', 'train', ...below, '--out', name, '--batch-size', '32', '--seed', '5');
  expect(ended.code, ended.error).toBe(0);
  return { run: `../first/${name}`, ...ended };
}

const again = (...argv: readonly string[]) => runIn('again', 'train', ...argv);

describe('cases: work 30: --config takes the run.json of a run, and runs it again', () => {
  const held = Object.entries(ownData).filter(([, argv]) => /validation|csv/.test(argv.join()));
  it.each(held)('to the same bits: %s', async (name, argv) => {
    const first = await trainFirst(name.replaceAll(/\W/g, ''), bars, ...argv, '--steps', '3', '--lr', '0.03');
    rmSync(path.join(folder, 'again/runs'), { recursive: true, force: true });
    const second = await again('--config', `${first.run}/run.json`);
    expect({ code: second.code, hash: second.hash }).toEqual({ code: 0, hash: first.hash });
    const { trainSamples, validationSamples, testSamples } = first.start ?? {};
    expect(second.start).toMatchObject({ trainSamples, validationSamples, testSamples, seed: 5 });
    // both files say the same, but for the path as it was typed and the notes on the data
    const read = (run: string) => {
      const { model, recipe, seed, engine, steps, dataset } = JSON.parse(readFileSync(`${run}/run.json`, 'utf8'));
      return { model, recipe, seed, engine, steps, dataset: { ...dataset, source: undefined } };
    };
    expect(read('runs/bars-seed5')).toEqual(read(first.run));
  });

  it('to the same bits: the embedded sample, with weights, a new head, frozen layers, pixels and an early end', async () => {
    await runIn('first', 'train', bars, '--data', '../idx', '--steps', '1', '--out', 'base');
    const first = await trainFirst(
      ...['transferred', '--resize', '12', '--weights', 'first/base', '--replace-head', '10', '--freeze', 'features.*'],
      ...['--mean', '0.2', '--std', '0.3', '--white', '250', '--optimizer', 'adamw', '--ema', '0.9', '--steps', '3'],
    );
    const second = await again('--config', first.run, '--no-save');
    expect({ code: second.code, hash: second.hash, steps: second.steps }).toEqual({
      code: 0,
      hash: first.hash,
      steps: 3,
    });
  });

  it('goes by flags before the file, and says which data are not those of before', async () => {
    const first = await trainFirst('flags', bars, '--data', 'idx', '--steps', '3');
    const longer = await again('--config', first.run, '--steps', '5', '--seed', '6', '--no-save');
    expect(longer).toMatchObject({ code: 0, steps: 5, start: { seed: 6 }, error: '' });
    const other = await again('--config', first.run, '--data', '../other', '--no-save');
    expect(other.code, other.error).toBe(0);
    expect(other.error).toMatch(
      /^note: the run of \.\.\/first\/flags\/run\.json was trained on 200 \+ 40 images from \.\.\/idx, SHA-256 [0-9a-f]{12}\.\.\.; this is 180 \+ 40 images from \.\.\/other, SHA-256 /,
    );
    expect((await again('--config', first.run, '--validation', '20', '--no-save')).start).toMatchObject({
      trainSamples: 180,
      validationSamples: 20,
    });
  });

  it('names the data that is gone, or another by now, and begins nothing', async () => {
    const first = await trainFirst('moved', bars, '--data', 'idx', '--steps', '3');
    const idx = path.join(folder, 'idx');
    const trained = `LOCKSTEP_CONFIG_RUN: the run of ../first/moved/run.json was trained on 200 + 40 images from ../idx, ${idx}, SHA-256 `;
    renameSync(idx, `${idx}-away`);
    try {
      const gone = await again('--config', first.run, '--no-save');
      expect({ code: gone.code, start: gone.start }).toEqual({ code: 2, start: undefined });
      expect(gone.error).toContain(trained);
      expect(gone.error).toContain(`: there is nothing at ${idx}. Say where the same data is with --data PATH.`);
      const found = await again('--config', first.run, '--data', '../idx-away', '--no-save');
      expect({ code: found.code, hash: found.hash, error: found.error }).toEqual({
        code: 0,
        hash: first.hash,
        error: '',
      });
      renameSync(path.join(folder, 'other'), idx);
      const another = await again('--config', first.run, '--no-save');
      expect(another.code).toBe(2);
      expect(another.error).toContain(trained);
      expect(another.error).toContain(`: there is now 180 + 40 images from ${idx}, SHA-256 `);
      renameSync(idx, path.join(folder, 'other'));
    } finally {
      renameSync(`${idx}-away`, idx);
    }
  });

  it('refuses weights that are others by now, and takes those that are named', async () => {
    await trainFirst('warm-up', bars, '--data', 'idx', '--steps', '1');
    const first = await trainFirst('warm', '--data', 'idx', '--weights', 'first/warm-up', '--steps', '2');
    renameSync(path.join(folder, 'first/warm-up'), path.join(folder, 'first/kept'));
    await trainFirst('warm-up', bars, '--data', 'idx', '--steps', '2');
    const other = await again('--config', first.run, '--no-save');
    expect(other.code).toBe(2);
    expect(other.error).toMatch(
      /LOCKSTEP_CONFIG_RUN: the run of \.\.\/first\/warm\/run\.json began with \S+, SHA-256 [0-9a-f]{12}\.\.\.; this is \S+, SHA-256 .*\. Say where the same weights are with --weights FILE\./,
    );
    const named = await again('--config', first.run, '--weights', '../first/kept', '--no-save');
    const note = 'note: --weights ../first/kept is ../first/kept/best.safetensors\n';
    expect({ hash: named.hash, error: named.error }).toEqual({ hash: first.hash, error: note });
  });

  it('knows of a resumed run how it began, and tells what it cannot do again', async () => {
    const begin = ['--data', 'idx', '--checkpoint', 'ck', '--every', '2 steps'];
    await trainFirst('base2', bars, '--data', 'idx', '--steps', '1');
    await trainFirst('long', ...begin, '--weights', 'first/base2', '--steps', '2');
    const whole = await runIn('first', 'train', '--resume', 'ck', '--steps', '4');
    const second = await again('--config', '../first/long', '--no-save');
    expect({ error: second.error, hash: second.hash }).toEqual({ error: '', hash: whole.hash });
    const resumed = await again(
      '--config',
      '../first/long',
      '--resume',
      '../first/ck/step-0000000002',
      '--no-save',
      '--no-checkpoint',
    );
    expect({ error: resumed.error, hash: resumed.hash }).toEqual({ error: '', hash: whole.hash });
    await runIn('first', 'train', '--resume', 'ck', '--override', '--lr', '0.002', '--steps', '5');
    const changed = await again('--config', '../first/long', '--no-save');
    expect(changed.error).toBe(
      'note: the run of ../first/long/run.json had another recipe, seed or dataset up to step 4 (--override): from the start under these, the result is another\n',
    );
  });

  it('refuses a run.json of another release, or one that is damaged, by its line', async () => {
    const file = path.join(folder, 'again/run.json');
    for (const [content, text] of [
      [{ format: 2, dataset: {} }, ':2: format 2 is of another release; this one reads 1'],
      [{ format: 1, engine: 'native', dataset: { mean: 3 } }, ':5: the run.json of a run: dataset.mean: '],
    ] as const) {
      writeFileSync(file, JSON.stringify(content, null, 1));
      const { code, error } = await again('--config', 'run.json');
      expect(code).toBe(2);
      expect(error).toContain(`LOCKSTEP_CONFIG: run.json${text}`);
    }
  });

  it('says of a run.json of before what it does not know', async () => {
    await trainFirst('old', bars, '--data', 'idx', '--steps', '1');
    const file = path.join(folder, 'first/old/run.json');
    const {
      steps: _,
      dataset: { origin, ...dataset },
      ...content
    } = JSON.parse(readFileSync(file, 'utf8'));
    expect(origin).toMatchObject({ kind: 'path', path: path.join(folder, 'idx') });
    writeFileSync(file, JSON.stringify({ ...content, dataset }));
    const { code, error } = await again('--config', '../first/old', '--data', '../idx', '--epochs', '1', '--no-save');
    expect({ code, error }).toEqual({
      code: 0,
      error:
        'note: ../first/old/run.json is of an earlier release: it says neither where the data lay, nor what ended the run early (--steps and the like), nor what weights it began with\n',
    });
  });
});
