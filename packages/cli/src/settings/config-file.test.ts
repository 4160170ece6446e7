import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfigFile } from './config-file.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-config-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('readConfigFile', () => {
  it('reads YAML and JSON alike', () => {
    const yaml = write('run.yaml', 'model: net19k\nseed: 7\nrecipe:\n  epochs: 3\n  optimizer: {type: sgd}\n');
    const json = write('run.json', '{"model":"net19k","seed":7,"recipe":{"epochs":3,"optimizer":{"type":"sgd"}}}');
    const expected = { model: 'net19k', seed: 7, recipe: { epochs: 3, optimizer: { type: 'sgd' } } };
    expect(readConfigFile(yaml).values).toEqual(expected);
    expect(readConfigFile(json).values).toEqual(expected);
  });

  it('takes fields of the recipe beside the others', () => {
    const path = write('run.yaml', 'epochs: 3\nrecipe: {batchSize: 64}\nworkers: 2\n');
    expect(readConfigFile(path).values).toEqual({ workers: 2, recipe: { epochs: 3, batchSize: 64 } });
  });

  it('reads an empty file as no settings', () => {
    expect(readConfigFile(write('run.yaml', '# nothing\n')).values).toEqual({});
  });

  it('takes relative paths from the folder of the file, names of the zoo as they are', () => {
    const absolute = join(folder, 'abs');
    const path = write('run.yaml', `model: ./m.json\ndata: mnist\nsave: out/w.safetensors\nweights: ${absolute}\n`);
    expect(readConfigFile(path).values).toMatchObject({
      model: join(folder, 'm.json'),
      data: join(folder, 'mnist'),
      save: join(folder, 'out', 'w.safetensors'),
      weights: absolute,
    });
    expect(readConfigFile(write('zoo.yaml', 'model: lenet5\nsave: false\n')).values).toMatchObject({
      model: 'lenet5',
      save: false,
    });
  });

  it('cases: work 30: takes every path from the folder of the file', () => {
    const names = ['out', 'trace', 'logFile', 'tensorboard', 'tokenFile', 'tlsCert', 'tlsKey', 'saveEma', 'checkpoint'];
    const path = write('run.yaml', names.map((name) => `${name}: here/${name}\n`).join(''));
    const expected = Object.fromEntries(names.map((name) => [name, join(folder, 'here', name)]));
    expect(readConfigFile(path).values).toMatchObject(expected);
  });

  it('cases: work 30: takes the name of an optimizer or a schedule alone', () => {
    const path = write('run.yaml', 'optimizer: adamw\nrecipe:\n  schedule: cosine\n');
    const { values, locate } = readConfigFile(path);
    expect(values).toEqual({ recipe: { optimizer: { type: 'adamw' }, schedule: { type: 'cosine' } } });
    expect(locate(['recipe', 'optimizer', 'type'])).toBe(`${path}:1`);
    expect(locate(['recipe', 'schedule', 'type'])).toBe(`${path}:3`);
  });

  it('finds the line of a field, of one beside the recipe, through an anchor, and of the parent of a missing one', () => {
    const path = write(
      'run.yaml',
      'epochs: 3\nrecipe:\n  schedule: &s\n    type: step\n    every: 2\n  optimizer:\n    betas:\n      - 0.9\n      - 2\n',
    );
    const { locate } = readConfigFile(path);
    expect(locate(['recipe', 'epochs'])).toBe(`${path}:1`);
    expect(locate(['recipe', 'schedule', 'every'])).toBe(`${path}:5`);
    expect(locate(['recipe', 'schedule', 'gamma'])).toBe(`${path}:3`);
    expect(locate(['recipe', 'optimizer', 'betas', 1])).toBe(`${path}:9`);
  });
});

describe('readConfigFile rejects', () => {
  it.each([
    [
      'an unknown field',
      'run.yaml',
      'model: tiny6k\nwrokers: 2\n',
      ':2: unknown field "wrokers". Did you mean workers?',
    ],
    [
      'cases: work 22: a name of other tools',
      'run.yaml',
      'model: tiny6k\nlr: 0.1\n',
      ':2: unknown field "lr". Did you mean learningRate?',
    ],
    [
      'cases: work 22: what there is nothing like',
      'run.yaml',
      'gpu: 0\n',
      ':1: unknown field "gpu": Lockstep computes on the CPU, so there is no device to choose; --workers says on how many threads',
    ],
    [
      'a field that is given twice',
      'run.yaml',
      'recipe:\n  epochs: 1\nepochs: 2\n',
      ':3: epochs is given twice, here and under recipe',
    ],
    ['a list', 'run.yaml', '- 1\n- 2\n', ':1: expected fields such as "epochs: 3", got a list'],
    ['text', 'run.json', '"tiny6k"', ':1: expected fields such as "epochs: 3", got "tiny6k"'],
    ['a recipe that is no map', 'run.yaml', 'seed: 1\nrecipe: 3\n', ':2: recipe must hold fields such as epochs'],
    ['a key that YAML has twice', 'run.yaml', 'seed: 1\nseed: 2\n', ':2: not YAML: column 1: Map keys must be unique'],
    ['YAML that is cut off', 'run.yml', 'seed: 1\nmodel: "a\n', ':3: not YAML: column 1: Missing closing "quote'],
    [
      'JSON with a comma too many',
      'run.json',
      '{\n  "seed": 1,\n}',
      ':3: not JSON: column 1: expected a name in double quotes but found "}"',
    ],
  ])('%s', (_, name, text, message) => {
    const path = write(name, text);
    expect(() => readConfigFile(path)).toThrow(`LOCKSTEP_CONFIG: ${path}${message}`);
  });

  it('a file that is not there, and a folder', () => {
    const missing = join(folder, 'nix.yaml');
    expect(() => readConfigFile(missing)).toThrow(
      `LOCKSTEP_CONFIG: cannot read --config ${missing}: there is no such file`,
    );
    expect(() => readConfigFile(folder)).toThrow(`LOCKSTEP_CONFIG: cannot read --config ${folder}: it is a folder`);
  });

  it.each<[string, string, string]>([
    [
      'run.yaml',
      `a:\n  ${'['.repeat(9000)}`,
      'run.yaml:2: not settings: column 203: more than 200 values inside each other',
    ],
    [
      'run.yaml',
      `${'- '.repeat(9000)}x`,
      'run.yaml:1: not settings: column 402: more than 200 values inside each other',
    ],
    [
      'run.json',
      `{\n "a": ${'['.repeat(100_000)}`,
      'run.json:2: not JSON: column 206: more than 200 values inside each other',
    ],
    // each stands in the one before, as the library reads it; its own parser's stack ended there
    ['run.yaml', 'a: : '.repeat(9000), 'run.yaml:1: not settings: column 502: more than 200 values inside each other'],
    [
      'run.yaml',
      Array.from({ length: 10_000 }, (_, i) => `k${i}:\n`).join(''),
      'run.yaml:2001: not settings: column 6: more than 2000 values beside each other',
    ],
    ['run.yaml', '#'.repeat(200_000), 'run.yaml:1: not settings: more than 128 KiB'],
  ])('issue 25: more than can be settings, before it is read: %s %#', (name, text, message) => {
    const path = write(name, text);
    expect(() => readConfigFile(path)).toThrow(`LOCKSTEP_CONFIG: ${join(folder, message)}`);
  });

  it('aliases that multiply without end', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [now, before] of ['ba', 'cb', 'dc', 'ed'] as unknown as [string, string][]) {
      bomb.push(`${now}: &${now} [${Array(10).fill(`*${before}`).join(',')}]`);
    }
    const path = write('run.yaml', bomb.join('\n'));
    expect(() => readConfigFile(path)).toThrow(`LOCKSTEP_CONFIG: ${path}:1: not YAML: Excessive alias count`);
  });
});
