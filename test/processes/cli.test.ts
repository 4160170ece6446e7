import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeIdxImages, encodeIdxLabels } from '../../packages/core/dist/data/readers/index.js';

const BIN = path.resolve(import.meta.dirname, '../../packages/cli/dist/bin.js');
const SIDE = 12;
const CLASSES = 10;
const TRAIN_COUNT = 320;
const TEST_COUNT = 90;

let folder = '';
let data = '';
let model = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-cli-'));
  data = folder;
  writeSplit('train', TRAIN_COUNT);
  writeSplit('t10k', TEST_COUNT);
  model = path.join(folder, 'bars.json');
  writeFileSync(model, JSON.stringify(bars));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** With dropout and augmentation, so that a hash covers them. */
const bars = {
  name: 'bars',
  input: { channels: 1, height: SIDE, width: SIDE },
  classes: CLASSES,
  layers: [
    { type: 'conv', outChannels: 8, kernel: 3, padding: 1 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'maxPool', kernel: 2 },
    { type: 'dropout', p: 0.1 },
    { type: 'flatten' },
    { type: 'linear', outFeatures: CLASSES },
  ],
  recipe: { epochs: 3, batchSize: 64, augmentation: { rotation: 3 }, learningRate: 0.01 },
};

/** Made-up digits: class c is a bright row at height c + 1 over a pattern that depends on the image. */
function writeSplit(stem: string, count: number): void {
  const pixels = new Uint8Array(count * SIDE * SIDE);
  const labels = Uint8Array.from({ length: count }, (_, index) => index % CLASSES);
  for (let index = 0; index < pixels.length; index++) {
    const image = Math.floor(index / SIDE ** 2);
    const row = Math.floor(index / SIDE) % SIDE;
    pixels[index] = row === (labels[image] as number) + 1 ? 255 : (index * 37 + image * 11) % 60;
  }
  const images = { count, channels: 1, height: SIDE, width: SIDE, pixels };
  writeFileSync(path.join(folder, `${stem}-images-idx3-ubyte`), encodeIdxImages(images));
  writeFileSync(path.join(folder, `${stem}-labels-idx1-ubyte`), encodeIdxLabels(labels));
}

interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** Starts the program in the temporary folder; `finished` resolves when its streams are closed. */
function start(argv: readonly string[]): { child: ChildProcess; finished: Promise<Finished> } {
  const child = spawn(process.execPath, [BIN, ...argv], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let error = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    error += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, error }));
  });
  return { child, finished };
}

const run = (...argv: string[]): Promise<Finished> => start(argv).finished;

const train = (...argv: string[]): Promise<Finished> => run('train', model, '--data', data, ...argv);

type Event = Record<string, unknown> & { event: string };

const readEvents = ({ out }: Finished): Event[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);

const findEvent = (finished: Finished, name: string): Event => {
  const found = readEvents(finished).find(({ event }) => event === name);
  if (found === undefined) throw new Error(`no ${name} in:\n${finished.out}\n${finished.error}`);
  return found;
};

/** Resolves as soon as a stream has said `text`. */
function waitFor(stream: NodeJS.ReadableStream | null, text: string): Promise<void> {
  return new Promise((resolve) => {
    let seen = '';
    stream?.on('data', (part: string) => {
      seen += part;
      if (seen.includes(text)) resolve();
    });
  });
}

describe('lockstep train', () => {
  it('prints a line per epoch and its test set, and ends with accuracy and path', async () => {
    const { code, out, error } = await train('--workers', '2', '--seed', '3');
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toMatch(/^Model: bars, 2,986 parameters\n/);
    expect(out.match(/^Epoch \d, Learning Rate: 0.01, loss=/gm)).toHaveLength(3);
    expect(out.match(/^Test set: Average loss: \d+\.\d{4}, Accuracy: \d+\/90 \(\d+\.\d\d%\)$/gm)).toHaveLength(3);
    expect(out).toMatch(/\nTest accuracy: \d+\/90 \(.*\nSaved to runs\/bars-seed3\n$/);
    expect(readdirSync(path.join(folder, 'runs')).sort()).toEqual(['bars-seed3', 'latest']);
  });

  it('prints start, epochs and end as JSON lines and nothing else on stdout', async () => {
    const finished = await train('--json', '--no-save', '--workers', '2', '--validation', '20');
    expect(finished.code).toBe(0);
    expect(readEvents(finished).map(({ event }) => event)).toEqual(['start', 'data', 'epoch', 'epoch', 'epoch', 'end']);
    expect(findEvent(finished, 'start')).toMatchObject({ model: 'bars', workers: 2, seed: 1, stepsPerEpoch: 5 });
    expect(findEvent(finished, 'start')).toMatchObject({ trainSamples: 300, validationSamples: 20, testSamples: 90 });
    expect(findEvent(finished, 'epoch')).toMatchObject({ epoch: 1, testTotal: 90, validation: { total: 20 } });
    expect(findEvent(finished, 'end')).toMatchObject({ epochs: 3, steps: 15, reason: 'completed' });
    expect(findEvent(finished, 'end')['parametersSha256']).toMatch(/^[0-9a-f]{64}$/);
  });

  it('gives the same bits for 1 and 3 workers, others for another seed', async () => {
    const hash = async (...argv: string[]) =>
      findEvent(await train('--json', '--no-save', ...argv), 'end')['parametersSha256'];
    const [one, three, other] = await Promise.all([
      hash('--workers', '1'),
      hash('--workers', '3'),
      hash('--workers', '1', '--seed', '2'),
    ]);
    expect(three).toBe(one);
    expect(other).not.toBe(one);
  });

  it('learns, and stops where --until says', async () => {
    const finished = await train('--json', '--no-save', '--epochs', '40', '--until', '0.9');
    const end = findEvent(finished, 'end');
    expect(end).toMatchObject({ reason: 'until' });
    expect(end['testAccuracy']).toBeGreaterThanOrEqual(0.9);
    expect(end['epochs']).toBeLessThan(40);
  });

  it('stops after --steps in the middle of an epoch', async () => {
    const end = findEvent(await train('--json', '--no-save', '--steps', '7'), 'end');
    expect(end).toMatchObject({ epochs: 1, steps: 7, reason: 'steps', testTotal: 90 });
  });

  it('takes a run from a config file, and a flag before it', async () => {
    const config = path.join(folder, 'run.yaml');
    writeFileSync(config, 'model: ./bars.json\ndata: .\nseed: 9\nsave: false\nepochs: 2\nworkers: 1\n');
    const finished = await run('train', '--config', config, '--json', '--epochs', '1');
    expect(findEvent(finished, 'start')).toMatchObject({ seed: 9, workers: 1, recipe: { epochs: 1, batchSize: 64 } });
    expect(findEvent(finished, 'end')).toMatchObject({ epochs: 1 });
  });

  it('says what it would run in a dry run, does one step and saves nothing', async () => {
    const { code, out } = await train('--dry-run', '--save', 'dry.safetensors');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Dry run: one step, nothing is saved. The run: 3 epochs, saved to dry.safetensors.\nModel: bars, 2,986 parameters\n/,
    );
    expect(out).toContain('0 epochs, 1 step in ');
    expect(existsSync(path.join(folder, 'dry.safetensors'))).toBe(false);
  });

  it('cases: numbers 13: does the one step that a dry run of a resumed run says, or says that none is left', async () => {
    const checkpoints = path.join(folder, 'dry');
    await train('--no-save', '--steps', '2', '--checkpoint', checkpoints);
    const { out } = await run('train', '--data', data, '--resume', checkpoints, '--dry-run');
    expect(out).toMatch(/^Dry run: one step, /);
    expect(out).toContain('0 epochs, 3 steps in ');
    const left = await run('train', '--data', data, '--resume', checkpoints, '--dry-run', '--json');
    expect(findEvent(left, 'end')).toMatchObject({ steps: 3, reason: 'steps' });
    await run('train', '--data', data, '--resume', checkpoints, '--no-save', '--json');
    const over = await run('train', '--data', data, '--resume', checkpoints, '--dry-run');
    expect(over.out).toMatch(/^Dry run: no step, since none is left, nothing is saved\. /);
    expect(readdirSync(checkpoints)).toContain('step-0000000015');
  });

  it('cases: numbers 12: ends with exit code 2 when it diverges in its last step, and leaves good weights alone', async () => {
    const weights = path.join(folder, 'good.safetensors');
    await train('--steps', '1', '--save', weights);
    const good = readFileSync(weights);
    const wild = ['--steps', '1', '--optimizer', 'sgd', '--lr', '1e38'];
    const { code, out, error } = await train(...wild, '--save', weights);
    expect(code).toBe(2);
    expect(error).toMatch(/^lockstep: LOCKSTEP_LOSS_NOT_FINITE: .* \(epoch 1\) is not a finite number\. Try a lower/m);
    expect(out).not.toContain('Saved to');
    expect(readFileSync(weights).equals(good)).toBe(true);
  });

  it('rejects data that the model cannot read, with exit code 2 and one line', async () => {
    const { code, out, error } = await run('train', 'lenet5', '--data', data, '--no-save');
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(error).toBe(
      'lockstep: LOCKSTEP_DATA_MODEL: lenet5 reads images of 1x28x28 in 10 classes, ' +
        'the data has 1x12x12 in 10, and its layers do not fit that (lenet5: layer 4 (conv): kernel 5 does not fit its 4x4 input). ' +
        'Choose another model, or bring the data to its size with --resize.\n',
    );
  });
});

describe('weights', () => {
  it('give evaluate the accuracy that the run ended with, without naming the model', async () => {
    const weights = path.join(folder, 'w.safetensors');
    const end = findEvent(await train('--json', '--save', weights), 'end');
    const finished = await run('evaluate', '--weights', weights, '--data', data, '--json', '--mistakes', '3');
    const evaluation = findEvent(finished, 'evaluation');
    expect(evaluation).toMatchObject({
      model: 'bars',
      correct: end['testCorrect'],
      total: end['testTotal'],
      loss: end['testLoss'],
    });
    const confusion = evaluation['confusion'] as number[][];
    expect(confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(TEST_COUNT);
    expect(confusion.reduce((sum, row, label) => sum + (row[label] as number), 0)).toBe(end['testCorrect']);
    const { code, out } = await run('evaluate', model, '--weights', weights, '--data', data);
    expect(code).toBe(0);
    expect(out).toContain('Confusion matrix (rows: label, columns: prediction)\n');
  });

  it('are what a run starts from', async () => {
    const weights = path.join(folder, 'initial.safetensors');
    await train('--steps', '1', '--seed', '5', '--save', weights);
    const start = (...argv: string[]) => train('--json', '--no-save', '--steps', '1', ...argv);
    const fresh = findEvent(await start(), 'end')['parametersSha256'];
    const continued = findEvent(await start('--weights', weights), 'end')['parametersSha256'];
    expect(continued).not.toBe(fresh);
  });

  it('of another model are refused', async () => {
    const weights = path.join(folder, 'small.safetensors');
    await train('--steps', '1', '--save', weights);
    const { code, error } = await run('evaluate', 'lenet5', '--weights', weights, '--data', data);
    expect(code).toBe(2);
    expect(error).toMatch(/^lockstep: LOCKSTEP_WEIGHTS_MISMATCH: .*\n$/);
  });
});

describe.skipIf(process.platform === 'win32')('Ctrl-C', () => {
  it('finishes the step, saves and ends with a summary, the way on and exit code 130', async () => {
    const weights = path.join(folder, 'interrupted.safetensors');
    const argv = ['train', model, '--data', data, '--epochs', '1000000', '--json', '--save', weights];
    const { child, finished } = start(argv);
    await waitFor(child.stdout, '"event":"epoch"');
    child.kill('SIGINT');
    const result = await finished;
    expect(result.code).toBe(130);
    expect(result.error).toContain(`Saved to ${weights}\n`);
    expect(result.error).toContain('This run cannot be resumed: it was started without --checkpoint.\n');
    const end = readEvents(result).at(-1);
    expect(end).toMatchObject({ event: 'end', reason: 'interrupted', signal: 'SIGINT' });
    const { code, out } = await run('evaluate', '--weights', weights, '--data', data, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ correct: end?.['testCorrect'], loss: end?.['testLoss'] });
  });

  it('exits at once with 130 the second time', async () => {
    // One step of this takes long enough for a second signal to come before its end.
    const wide = { ...bars, name: 'wide', layers: [...bars.layers] };
    wide.layers.splice(
      3,
      0,
      ...Array.from({ length: 12 }, () => ({ type: 'conv', outChannels: 512, kernel: 3, padding: 1 })),
    );
    const file = path.join(folder, 'wide.json');
    writeFileSync(file, JSON.stringify(wide));
    const argv = ['train', file, '--data', data, '--batch-size', '320', '--workers', '1', '--json', '--no-save'];
    const { child, finished } = start(argv);
    await waitFor(child.stdout, '"event":"start"');
    child.kill('SIGINT');
    await waitFor(child.stderr, 'Finishing the step');
    child.kill('SIGINT');
    const { code, out } = await finished;
    expect(code).toBe(130);
    expect(out).not.toContain('"event":"end"');
  });
});

it.skipIf(!existsSync('/dev/full'))('cases: work 2: says that the disk under what it prints is full, and ends', () => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [BIN, 'models'], { stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  expect([status, stderr.toString()]).toEqual([
    0,
    'lockstep: nothing more can be written to stdout (ENOSPC: no space left on device, write); the rest is left out\n',
  ]);
});

it('does not mind a reader that goes away', async () => {
  const { child, finished } = start(['summary', 'cnn11m']);
  child.stdout?.destroy();
  expect(await finished).toMatchObject({ code: 0, error: '' });
});
