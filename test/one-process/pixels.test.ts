/** How a model reads pixels, from its training through every command and the library, in this process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodePngImage } from '@lockstep/core/data/pictures';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createArrayDataset, loadModel, type RunEvent, train } from '../../packages/cli/dist/index.js';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { inferLayers } from '../../packages/core/dist/model/index.js';
import { parseModelSpec } from '../../packages/core/dist/spec/index.js';
import { saveWeights } from '../../packages/core/dist/state/index.js';
import { describeRun } from '../../packages/worker/dist/connection/node-life.js';

const SIDE = 6;
const MODEL = parseModelSpec({
  name: 'tiny',
  input: { channels: 1, height: SIDE, width: SIDE },
  classes: 2,
  layers: [
    { type: 'conv', outChannels: 2, kernel: 3 },
    { type: 'relu' },
    { type: 'flatten' },
    { type: 'linear', outFeatures: 2 },
  ],
});
const COUNT = 60;

let folder = '';
const file = (name: string): string => path.join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-pixels-'));
  vi.stubEnv('LOCKSTEP_CACHE', file('cache'));
  writeFileSync(file('tiny.json'), JSON.stringify(MODEL));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** A bar, upright in class 0 and lying in class 1, of the value `ink` on `paper`. */
const drawBar = (index: number, ink: number, paper: number): Uint8Array =>
  Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    const [along, across] = index % 2 === 0 ? [y, x] : [x, y];
    return along >= 1 && along < 5 && (across === 2 || (across === 3 && index % 3 > 0)) ? ink : paper;
  });

const rows = Array.from({ length: COUNT }, (_, index) => index);

function writeTable(name: string, ink: number, paper: number): string {
  const lines = rows.map((index) => [index % 2, ...drawBar(index, ink, paper)].join(','));
  writeFileSync(file(name), `${lines.join('\n')}\n`);
  return file(name);
}

function writePicture(name: string, index: number, ink: number, paper: number): string {
  const pixels = drawBar(index, ink, paper);
  writeFileSync(file(name), encodePngImage({ channels: 1, height: SIDE, width: SIDE, pixels }));
  return file(name);
}

const arrays = (ink: number, paper: number, more: object = {}) => {
  const images = Uint8Array.from(rows.flatMap((index) => [...drawBar(index, ink, paper)]));
  const split = { images, labels: rows.map((index) => index % 2) };
  return createArrayDataset({ channels: 1, height: SIDE, width: SIDE, classes: 2, train: split, test: split, ...more });
};

async function run(...argv: string[]) {
  const io = new RecordingIo();
  io.coreCount = 1;
  const code = await main(argv, io);
  return { code, out: io.stdout.text, error: io.stderr.text };
}

const jsonOf = ({ out }: { out: string }) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function trainTable(data: string, save: string, ...more: string[]) {
  const finished = await run(
    'train',
    file('tiny.json'),
    '--data',
    data,
    '--epochs',
    '8',
    '--lr',
    '0.01',
    '--batch-size',
    '16',
    '--save',
    file(save),
    '--json',
    ...more,
  );
  expect(finished.code, finished.error).toBe(0);
  return finished;
}

describe('cases: data 18: data of another white than 255', () => {
  it.each([
    ['sixteen', 16],
    ['bits', 1],
  ] as const)('%s: what was saved is evaluated, and reads pictures', async (name, white) => {
    const data = writeTable(`${name}.csv`, white, 0);
    const trained = await trainTable(data, `${name}.safetensors`);
    expect(trained.error).toContain(`note: the largest pixel of the training images is ${white}, and taken for white`);
    const end = jsonOf(trained).at(-1) as { testCorrect: number; testTotal: number };
    expect(end.testCorrect).toBe(end.testTotal);
    const weights = ['--weights', file(`${name}.safetensors`)];
    const [report] = jsonOf(await run('evaluate', ...weights, '--data', data, '--json'));
    expect(report?.['correct']).toBe(end.testCorrect);
    const pictures = [0, 1, 2, 3].map((index) => writePicture(`${name}${index}.png`, index, 255, 0));
    const predicted = jsonOf(await run('predict', ...weights, '--json', ...pictures));
    expect(predicted.map((one) => one['class'])).toEqual(['0', '1', '0', '1']);
    // the same pictures in the data's own values
    const model = await loadModel(file(`${name}.safetensors`));
    const own = await model.predict(drawBar(1, white, 0));
    const probabilities = Object.values(predicted[1]?.['probabilities'] as object) as number[];
    for (const [i, value] of probabilities.entries()) expect(own[0]?.probabilities[i]).toBeCloseTo(value, 5);
    const full = writeTable(`${name}-full.csv`, 255, 0);
    const scaled = await run('evaluate', ...weights, '--data', full, '--json');
    expect(scaled.error).toContain(
      `note: the images were scaled from white 255 to the ${white} of the training images`,
    );
    expect(jsonOf(scaled)[0]).toMatchObject({ correct: report?.['correct'], confusion: report?.['confusion'] });
  });

  it('one value all over is saved and read', async () => {
    const data = writeTable('blank.csv', 3, 3);
    await trainTable(data, 'blank.safetensors');
    const weights = ['--weights', file('blank.safetensors')];
    expect((await run('evaluate', ...weights, '--data', data)).code).toBe(0);
    expect((await run('export', ...weights, '--format', 'html')).code).toBe(0);
  });
});

describe('weights that carry no notes', () => {
  const weights = (): string[] => ['--weights', file('foreign.safetensors')];
  const assumed =
    'does not say how its images were normalized; taken: mean 0.1307, std 0.3081, dark ground, white 255 (as for MNIST, ';

  beforeAll(async () => {
    await trainTable(writeTable('plain.csv', 255, 0), 'plain.safetensors');
    const { spec, state } = await loadModel(file('plain.safetensors'));
    saveWeights(file('foreign.safetensors'), inferLayers(spec), state);
  });

  it('cases: numbers 11: are read by one rule in evaluate, predict and export, which is told', async () => {
    const data = ['--data', file('plain.csv')];
    const picture = writePicture('plain.png', 1, 255, 0);
    const evaluated = await run('evaluate', file('tiny.json'), ...weights(), ...data, '--json');
    const predicted = await run('predict', '--model', file('tiny.json'), ...weights(), '--json', picture);
    const exported = await run('export', file('tiny.json'), ...weights(), '--format', 'tfjs');
    for (const { code, error } of [evaluated, predicted, exported]) {
      expect({ code, isTold: error.includes(assumed) }).toEqual({ code: 0, isTold: true });
    }
    // with the pixels that they were trained on
    const said = ['--mean', '0.1307', '--std', '0.3081', '--ground', 'dark', '--white', '255'];
    const again = await run('evaluate', file('tiny.json'), ...weights(), ...data, ...said, '--json');
    expect(again.out).toBe(evaluated.out);
    const tfjs = file('foreign-tfjs/model.json');
    const [report] = jsonOf(await run('evaluate', '--weights', tfjs, ...data, '--json'));
    expect(report?.['loss']).toBe(jsonOf(evaluated)[0]?.['loss']);
  });

  it('are read as the flags say, as the model was trained', async () => {
    const { notes } = await loadModel(file('plain.safetensors'));
    const said = ['--mean', notes.mean.join(), '--std', notes.std.join()];
    const data = ['--data', file('plain.csv'), '--json'];
    const own = jsonOf(await run('evaluate', '--weights', file('plain.safetensors'), ...data));
    const foreign = jsonOf(await run('evaluate', file('tiny.json'), ...weights(), ...said, ...data));
    expect(foreign[0]?.['loss']).toBe(own[0]?.['loss']);
    const model = await loadModel(file('foreign.safetensors'), { model: MODEL, mean: notes.mean, std: notes.std });
    expect((await model.evaluate(arrays(255, 0))).correct).toBe(COUNT);
  });

  it('tell programs too', async () => {
    const told: string[] = [];
    await loadModel(file('foreign.safetensors'), { model: MODEL, onWarning: ({ message }) => told.push(message) });
    expect(told).toEqual([expect.stringContaining(assumed)]);
  });
});

describe('weights that carry notes', () => {
  it('say what flags change of them, and data of the other ground is inverted', async () => {
    const weights = ['--weights', file('plain.safetensors')];
    const light = writeTable('light.csv', 0, 255);
    const inverted = await run('evaluate', ...weights, '--data', light, '--json');
    expect(inverted.error).toContain('note: the images were inverted, since the training images have a dark ground');
    expect(jsonOf(inverted)[0]?.['correct']).toBe(jsonOf(inverted)[0]?.['total']);
    const asIs = await run('evaluate', ...weights, '--data', light, '--ground', 'mixed', '--json');
    expect(asIs.error).toMatch(
      /note: pixels are read as the flags say: .* mixed ground, white 255; .* says: .* dark ground/,
    );
    expect(asIs.error).not.toContain('inverted');
  });

  it('go on with their own mean and std when they are trained further, which is told', async () => {
    const { notes } = await loadModel(file('plain.safetensors'));
    const data = writeTable('dim.csv', 200, 60);
    const trained = await trainTable(data, 'further.safetensors', '--weights', file('plain.safetensors'));
    expect(trained.error).toContain('note: pixels are normalized as for the weights, ');
    expect((await loadModel(file('further.safetensors'))).notes).toMatchObject({ mean: notes.mean, std: notes.std });
    const events: RunEvent[] = [];
    const again = train({ weights: file('plain.safetensors'), data, steps: 1 });
    for await (const event of again) events.push(event);
    expect(events[0]?.event).toBe('start');
    const told = events.flatMap((event) => (event.event === 'data' ? event.notes.map(({ text }) => text) : []));
    expect(told).toContainEqual(expect.stringMatching(/^pixels are normalized as for the weights, /));
    expect((await again.result()).notes.mean).toEqual(notes.mean);
  });

  it('cases: data 36: of TensorFlow.js are trained further, as they are evaluated', async () => {
    await run('export', '--weights', file('plain.safetensors'), '--format', 'tfjs');
    const start = async (weights: string) => {
      const options = ['--data', file('plain.csv'), '--steps', '2', '--no-save', '--json'];
      return jsonOf(await run('train', '--weights', file(weights), ...options)).at(-1)?.['parametersSha256'];
    };
    expect(await start('plain-tfjs/model.json')).toBe(await start('plain.safetensors'));
  });
});

it.each([
  ['--mean', '33.3', 'must be fractions from 0 to 1, such as 0.1307'],
  ['--std', '0.3,0', 'must be fractions above 0 and up to 1, such as 0.3081'],
  ['--ground', 'black', 'must be one of dark, light, mixed'],
  ['--white', '0', 'must be a whole number from 1 to 255'],
])('%s %s is refused by every command', async (flag, value, text) => {
  for (const command of [['train'], ['evaluate'], ['predict', 'x.png'], ['export']]) {
    const { code, error } = await run(...command, '--weights', file('nix.safetensors'), flag, value);
    expect({ code, error }).toEqual({ code: 2, error: `lockstep: LOCKSTEP_CLI_OPTION: ${flag} ${value}: ${text}\n` });
  }
});

describe.each([
  ['mean', 'std', '0.25'],
  ['std', 'mean', '0.3'],
] as const)('%s without %s is refused', (said, other, value) => {
  const text = `needs --${other} as well: pixels are normalized by both`;
  const weights = ['--weights', file('nix.safetensors')];

  it.each([
    ['train'],
    ['evaluate', ...weights],
    ['predict', ...weights, 'x.png'],
    ['export', ...weights, '--format', 'html'],
    ['data', 'nix.csv'],
  ])('as flag of %s', async (...command) => {
    const { code, error } = await run(...command, `--${said}`, value);
    expect({ code, error }).toEqual({ code: 2, error: `lockstep: LOCKSTEP_CLI_OPTION: --${said} ${text}\n` });
  });

  it('in a config file; half there and half as a flag is both', async () => {
    const data = writeTable('half.csv', 255, 0);
    writeFileSync(file('half.json'), JSON.stringify({ model: './tiny.json', data, steps: 1, [said]: Number(value) }));
    const config = ['train', '--config', file('half.json'), '--no-save'];
    const { code, error } = await run(...config);
    expect({ code, error }).toEqual({ code: 2, error: `lockstep: LOCKSTEP_CLI_OPTION: --${said} ${text}\n` });
    expect(await run(...config, `--${other}`, '0.5')).toMatchObject({ code: 0 });
  });

  it('in the library', async () => {
    await trainTable(writeTable('half-library.csv', 255, 0), 'half.safetensors');
    const sentence = `${said} needs ${other} as well`;
    expect(() => arrays(255, 0, { [said]: [Number(value)] })).toThrow(`LOCKSTEP_OPTION: options: ${sentence}`);
    await expect(loadModel(file('half.safetensors'), { [said]: [Number(value)] })).rejects.toThrow(
      `LOCKSTEP_DATA_PIXELS: ${sentence}`,
    );
  });
});

describe('a run', () => {
  const recipe = { batchSize: 16, epochs: 2 };

  it('cases: numbers 9: is not resumed with another mean or std of the same pixels', async () => {
    const checkpoints = { folder: file('checkpoints') };
    await train({ model: MODEL, recipe, data: arrays(255, 0), steps: 2, checkpoints }).result();
    const resume = { resume: checkpoints.folder, recipe };
    const { mean, std } = arrays(255, 0);
    await expect(train({ ...resume, data: arrays(255, 0, { mean: [0.25], std }) }).result()).rejects.toThrow(
      /^LOCKSTEP_CHECKPOINT_DIFFERS: the run differs from the checkpoint of step 2: mean is "0.25", was "0\.\d+"\./,
    );
    await expect(train({ ...resume, data: arrays(255, 0, { mean, std: [0.25] }) }).result()).rejects.toThrow(
      'LOCKSTEP_CHECKPOINT_DIFFERS: the run differs from the checkpoint of step 2: std is "0.25", was "0.',
    );
    const whole = await train({ model: MODEL, recipe, data: arrays(255, 0) }).result();
    expect((await train({ ...resume, data: arrays(255, 0) }).result()).sha256).toBe(whole.sha256);
  });

  it('that is resumed keeps the pixels that flags gave it', async () => {
    const data = writeTable('resumed.csv', 255, 0);
    const start = [
      'train',
      file('tiny.json'),
      '--data',
      data,
      '--mean',
      '0.5',
      '--std',
      '0.25',
      '--white',
      '200',
      '--ground',
      'light',
      '--epochs',
      '2',
      '--batch-size',
      '16',
      '--no-save',
      '--json',
    ];
    const whole = jsonOf(await run(...start)).at(-1);
    await run(...start, '--steps', '2', '--checkpoint', file('said'));
    const resumed = ['train', '--resume', file('said'), '--data', data, '--json', '--save', file('said.safetensors')];
    expect(jsonOf(await run(...resumed)).at(-1)?.['parametersSha256']).toBe(whole?.['parametersSha256']);
    const { notes } = await loadModel(file('said.safetensors'));
    expect(notes).toMatchObject({ mean: [0.5], std: [0.25], white: 200, border: 1 });
    const other = await run(...resumed, '--mean', '0.4', '--std', '0.25');
    expect(other).toMatchObject({ code: 2 });
    expect(other.error).toContain('mean is "0.4", was "0.5"');
    const read = await run(...resumed, '--ground', 'dark', '--white', '100');
    expect(read).toMatchObject({ code: 2 });
    expect(read.error).toContain('ground is "dark", was "light"; white is 100, was 200.');
  });

  it('cases: numbers 9: of other pixels is another run to a node that keeps its workers', () => {
    const header = {
      name: 'x',
      source: 'x',
      channels: 1,
      height: 6,
      width: 6,
      classes: 2,
      mean: [0.5],
      std: [0.25],
      counts: { train: 1, validation: 0, test: 1 },
      checksum: 'c',
    };
    expect(describeRun('r', header)).toBe(describeRun('r', { ...header }));
    expect(describeRun('r', { ...header, mean: [0.4] })).not.toBe(describeRun('r', header));
    expect(describeRun('r', { ...header, std: [0.3] })).not.toBe(describeRun('r', header));
  });

  it('cases: numbers 10: evaluates a dataset by the mean and std of the model, as it predicts', async () => {
    const model = await train({
      model: MODEL,
      recipe: { ...recipe, epochs: 8, learningRate: 0.01 },
      data: arrays(255, 0),
    }).result();
    const other = arrays(255, 0, { mean: [0.9], std: [0.05] });
    const evaluated = await model.evaluate(other);
    const predicted = await model.predict(other.test.images);
    expect(predicted.map((one) => one.predicted)).toEqual(evaluated.predictions.map((one) => one.predicted));
    expect(evaluated.loss).toBe((await model.evaluate(arrays(255, 0))).loss);
    // a dataset that says its white is brought to the model's
    const bits = await model.evaluate(arrays(1, 0, { white: 1 }));
    expect(bits.correct).toBe(evaluated.correct);
  });
});
