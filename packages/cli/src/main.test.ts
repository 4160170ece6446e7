import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recipeFields } from './fields/recipe-fields.js';
import { runFields } from './fields/run-fields.js';
import { main } from './main.js';
import { RecordingIo } from './testing/recording-io.js';

async function run(...argv: string[]) {
  const io = new RecordingIo();
  const code = await main(argv, io);
  return { code, out: io.stdout.text, error: io.stderr.text };
}

describe('help', () => {
  it('is what lockstep alone prints', async () => {
    const alone = await run();
    expect(alone).toEqual(await run('--help'));
    expect(alone).toMatchObject({ code: 0, error: '' });
    for (const command of ['train', 'evaluate', 'summary', 'models']) expect(alone.out).toContain(`\n  ${command} `);
    expect(alone.out).toContain('\nExamples:\n  lockstep train ');
  });

  it('of train lists every flag, in groups, with examples', async () => {
    const { code, out } = await run('train', '--help');
    expect(code).toBe(0);
    for (const field of [...runFields, ...recipeFields]) expect(out).toContain(`\n  ${field.flags} `);
    const headings = out.split('\n').filter((line) => /^(Run|Data|Recipe|Output|Examples)\b.*:$/.test(line));
    expect(headings).toEqual([
      'Run:',
      'Data:',
      'Recipe (default: what the model brings, see `lockstep models`):',
      'Output:',
      'Examples:',
    ]);
    expect(out).toContain('--seed <n>                    start of every random number (default: 1)');
  });

  it.each(['train', 'evaluate', 'predict', 'export', 'data', 'summary', 'models'])(
    'of %s has four to nine examples',
    async (command) => {
      const { out } = await run(command, '--help');
      const examples = out.split('\nExamples:\n')[1]?.trimEnd().split('\n') ?? [];
      expect(examples.length).toBeGreaterThanOrEqual(4);
      expect(examples.length).toBeLessThanOrEqual(9);
      expect(await run('help', command)).toMatchObject({ code: 0, out });
    },
  );

  it('cases: work 32: every command takes --offline, which is LOCKSTEP_OFFLINE for all that it starts', async () => {
    const io = new RecordingIo();
    expect(await main(['models', '--offline'], io)).toBe(0);
    expect(io.env['LOCKSTEP_OFFLINE']).toBe('1');
    for (const command of ['train', 'worker', 'evaluate', 'bench', 'reproduce', 'speedrun', 'doctor']) {
      expect((await run(command, '--help')).out, command).toContain('--offline ');
    }
  });

  it('cases: work 32: offline: true in a config file is the same; anything but true and false is an error', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lockstep-offline-'));
    const file = join(folder, 'run.yaml');
    const io = new RecordingIo();
    io.env = { LOCKSTEP_CACHE: folder };
    writeFileSync(file, 'offline: true\nworkers: 1\nsave: false\n');
    expect(await main(['train', '--config', file, '--dry-run'], io), io.stderr.text).toBe(0);
    expect(io.env['LOCKSTEP_OFFLINE']).toBe('1');
    expect(io.stderr.text).not.toContain('cannot be downloaded');
    writeFileSync(file, 'offline: 3\n');
    expect((await run('train', '--config', file)).error).toContain(
      `LOCKSTEP_CONFIG: ${file}:1: offline 3: must be true or false`,
    );
    rmSync(folder, { recursive: true });
  });

  it('prints the version', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: '0.1.0\n', error: '' });
  });
});

const needsWeights = (command: string): string =>
  `LOCKSTEP_CLI_OPTION: ${command} needs --weights <file>: a .safetensors file, the folder of a run, or \`latest\` for the latest run`;

async function expectError(argv: string[], message: string): Promise<void> {
  const { code, out, error } = await run(...argv);
  expect(error).toContain(`lockstep: ${message}`);
  expect(error.trimEnd().split('\n')).toHaveLength(1);
  expect({ code, out }).toEqual({ code: 2, out: '' });
}

describe('errors are one line on stderr, exit code 2', () => {
  it.each([
    [['train', '--wrokers', '8'], 'LOCKSTEP_CLI_OPTION: unknown option --wrokers. Did you mean --workers?'],
    [['train', '--wrokers=8'], 'LOCKSTEP_CLI_OPTION: unknown option --wrokers. Did you mean --workers?'],
    [
      ['train', 'lenet5', '--learningrate', '1'],
      'LOCKSTEP_CLI_OPTION: unknown option --learningrate. Did you mean --learning-rate?',
    ],
    [['constructor'], 'LOCKSTEP_CLI_COMMAND: unknown command constructor. There are train, '],
    [['frobnicate'], 'LOCKSTEP_CLI_COMMAND: unknown command frobnicate. There are train, '],
    [['models', '--jsno'], 'LOCKSTEP_CLI_OPTION: unknown option --jsno. Did you mean --json?'],
    [['--workers', '8'], 'LOCKSTEP_CLI_OPTION: --workers belongs to a command: lockstep train --workers'],
    [['--verison'], 'LOCKSTEP_CLI_OPTION: unknown option --verison. Did you mean --version?'],
    [['trian'], 'LOCKSTEP_CLI_COMMAND: unknown command trian. Did you mean train? There are train, '],
    [
      ['bench', 'scalling'],
      'LOCKSTEP_CLI_COMMAND: unknown command scalling of bench. Did you mean scaling? There are ',
    ],
    [['bench', 'run'], 'LOCKSTEP_CLI_COMMAND: unknown command run of bench. There are kernels, '],
    [['help', 'modles'], 'LOCKSTEP_CLI_COMMAND: unknown command modles. Did you mean models?'],
    [['trian', '--help'], 'LOCKSTEP_CLI_COMMAND: unknown command trian. Did you mean train?'],
    [['train', '--workers'], 'LOCKSTEP_CLI_OPTION: --workers needs a value: --workers <n>'],
    [
      ['train', 'a', 'b'],
      'LOCKSTEP_CLI_ARGUMENT: train takes one argument, what is "b"? Usage: lockstep train [options] [model]',
    ],
    [['models', 'x'], 'LOCKSTEP_CLI_ARGUMENT: models takes no argument, what is "x"? Usage: lockstep models [options]'],
    [['summary'], 'LOCKSTEP_CLI_ARGUMENT: summary needs MODEL: lockstep summary [options] <model>'],
    [['summary', 'tiny'], 'LOCKSTEP_MODEL_UNKNOWN: no model is called "tiny". Did you mean tiny6k?'],
    [
      ['summary', 'tiny6k', '--layout', 'x'],
      'LOCKSTEP_CLI_OPTION: --layout x: must be one of lockstep, torchsummary, torch-summary',
    ],
    [['train', 'tiny'], 'LOCKSTEP_MODEL_UNKNOWN: no model is called "tiny"'],
    [['train', '--momentum', '2'], 'LOCKSTEP_RECIPE: --momentum 2: must be below 1'],
    [['train', '--workers', '--seed'], 'LOCKSTEP_CLI_OPTION: --workers --seed: must be a number'],
    [['evaluate'], needsWeights('evaluate')],
    [['evaluate', 'latest'], `${needsWeights('evaluate')}. Did you mean --weights latest?`],
    [['export', 'w.safetensors'], `${needsWeights('export')}. Did you mean --weights w.safetensors?`],
    [['evaluate', '.'], `${needsWeights('evaluate')}. Did you mean --weights .?`],
    [
      ['predict', '--weights', 'nix', 'seven.png', 'test.csv'],
      'LOCKSTEP_CLI_OPTION: test.csv is a table, not an image: --csv test.csv predicts its rows',
    ],
    [['-v'], 'LOCKSTEP_CLI_OPTION: unknown option -v. Did you mean -V or --version?'],
    [['train', '-H'], 'LOCKSTEP_CLI_OPTION: unknown option -H'],
    [
      ['evaluate', '--weights', 'nix', '--mistakes', '-1'],
      'LOCKSTEP_CLI_OPTION: --mistakes -1: must be a whole number of at least 0',
    ],
    [
      ['evaluate', '--weights', 'nix', '--split', 'validation'],
      'LOCKSTEP_CLI_OPTION: --split validation: must be one of test, train',
    ],
    [['evaluate', '--weights', 'nix'], 'LOCKSTEP_WEIGHTS_READ: cannot read --weights nix: there is no such file'],
    [['evaluate', 'lenet5', '--weights', 'nix'], 'LOCKSTEP_WEIGHTS_READ: '],
  ])('%j', expectError);

  it.each([
    [['train', '--batch', '8'], 'LOCKSTEP_CLI_OPTION: unknown option --batch. Did you mean --batch-size?'],
    [
      ['train', '--early-stopping', '3'],
      'LOCKSTEP_CLI_OPTION: unknown option --early-stopping. Did you mean --patience?',
    ],
    [['train', '--wandb'], 'LOCKSTEP_CLI_OPTION: unknown option --wandb: Lockstep sends nothing to trackers'],
    [['train', '--gpu'], 'LOCKSTEP_CLI_OPTION: unknown option --gpu: Lockstep computes on the CPU'],
    [['serve'], 'LOCKSTEP_CLI_COMMAND: unknown command serve: no model is served here'],
  ])('cases: work 22: %j names what is here for it, or why there is nothing', expectError);

  it('cases: work 29: models --recipe says where the recipes are', async () => {
    const { code, error } = await run('models', '--recipe');
    expect({ code, error }).toEqual({
      code: 2,
      error:
        'lockstep: LOCKSTEP_CLI_OPTION: unknown option --recipe: `lockstep models` lists every recipe with its name, --json all of its fields; `lockstep train MODEL --recipe NAME` takes one\n',
    });
  });

  it('shows the stack under LOCKSTEP_DEBUG=1', async () => {
    const io = new RecordingIo();
    io.env = { LOCKSTEP_DEBUG: '1' };
    expect(await main(['summary', 'tiny'], io)).toBe(2);
    expect(io.stderr.lines[0]).toContain('lockstep: LOCKSTEP_MODEL_UNKNOWN');
    expect(io.stderr.text).toMatch(/\n {4}at /);
  });
});

describe('train before its run', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lockstep-main-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('names a data folder that is not there, and makes no folder to save in', async () => {
    const save = join(folder, 'runs', 'w.safetensors');
    const { code, error } = await run('train', '--data', join(folder, 'nix'), '--save', save);
    expect(code).toBe(2);
    expect(error).toContain(`lockstep: LOCKSTEP_DATA_PATH: there is nothing at ${join(folder, 'nix')}.`);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('names weights that are of no use', async () => {
    const weights = join(folder, 'w.safetensors');
    writeFileSync(weights, 'not weights at all');
    const { code, error } = await run('train', '--weights', weights, '--data', folder);
    expect(code).toBe(2);
    expect(error).toContain(`lockstep: LOCKSTEP_WEIGHTS_FORMAT: ${weights} is not a safetensors file`);
  });
});

describe('models', () => {
  it('prints the zoo with sizes, claims and recipes', async () => {
    const { code, out } = await run('models');
    expect(code).toBe(0);
    expect(out).toMatch(/^Model +Parameters +Mult-adds +Claim\n/);
    expect(out).toMatch(/\ncnn11m +11,705,450 +47,907,968 +99% on the test set/);
    expect(out).toMatch(
      /\nnet19k +author +20 epochs, batch 128 in shards of 128, SGD momentum 0.9, rate 0.025 x0.15 every 9 epochs, rotation ±7°\n/,
    );
  });

  it('prints one JSON object a line with --json', async () => {
    const { out } = await run('models', '--json');
    const models = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; parameters: number });
    expect(models.map(({ name, parameters }) => [name, parameters])).toEqual([
      ['tiny6k', 6456],
      ['net19k', 18_970],
      ['gap19k', 19_194],
      ['lenet5', 44_426],
      ['mynet', 431_080],
      ['cnn11m', 11_705_450],
      ['sprint13k', 12_738],
      ['sprint33k', 32_974],
      ['sprint165k', 165_394],
    ]);
  });
});

describe('summary', () => {
  it.each([
    ['lockstep', 'Total mult-adds (M): 0.90'],
    ['torchsummary', '           Conv2d-43             [-1, 10, 1, 1]             100'],
    ['torch-summary', '├─Conv2d: 1-43'],
  ])('prints the table in the layout %s', async (layout, part) => {
    const { code, out } = await run('summary', 'tiny6k', '--layout', layout);
    expect(code).toBe(0);
    expect(out).toContain(part);
    expect(out).toContain('Total params: 6,456');
  });
});
