/** The folder that a run has for itself. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadModel } from '../../packages/cli/dist/index.js';
import { type Finished, startProgram, writeBars } from '../support/digit-bars.js';
import { runHere } from '../support/program-here.js';

const STEPS_PER_EPOCH = 5;
let data = '';
let model = '';

beforeAll(() => {
  data = mkdtempSync(path.join(tmpdir(), 'lockstep-run-folder-'));
  model = writeBars(data, 64 * STEPS_PER_EPOCH, 60);
});

afterAll(() => {
  rmSync(data, { recursive: true });
});

/** A working folder, and what is run in it. */
function open(name: string) {
  const folder = path.join(data, name);
  mkdirSync(folder);
  const run = (...argv: string[]): Promise<Finished> => runHere(folder, argv);
  return {
    run,
    at: (file: string): string => path.join(folder, file),
    train: (...argv: string[]) => run('train', model, '--data', data, '--workers', '1', '--quiet', ...argv),
    resume: (...argv: string[]) => run('train', '--workers', '1', '--quiet', '--resume', ...argv),
    read: (file: string): Buffer => readFileSync(path.join(folder, file)),
    list: (sub: string): string[] => readdirSync(path.join(folder, sub)).sort(),
  };
}

it('cases: work 5: each run has a folder of its own with its best and last weights; what is there stays', async () => {
  const { train, run, at, read, list } = open('own');
  mkdirSync(at('runs'));
  writeFileSync(at('runs/bars-seed1.safetensors'), 'of an earlier version');
  expect(await train('--best', 'testAccuracy')).toMatchObject({ code: 0 });
  const whole = list('runs/bars-seed1').map((name) => [name, read(`runs/bars-seed1/${name}`)] as const);
  expect(whole.map(([name]) => name)).toEqual(
    expect.arrayContaining([
      'best.safetensors',
      'events.jsonl',
      'history.csv',
      'last.safetensors',
      'report.html',
      'run.json',
    ]),
  );
  // the first epoch is the best one, so the weights after its steps are the best
  const second = await train('--steps', String(STEPS_PER_EPOCH));
  expect(second.out).toContain('\nSaved to runs/bars-seed1-2\n');
  expect(read('runs/bars-seed1-2/last.safetensors').equals(read('runs/bars-seed1/best.safetensors'))).toBe(true);
  expect(read('runs/bars-seed1/last.safetensors').equals(read('runs/bars-seed1/best.safetensors'))).toBe(false);
  for (const [name, bytes] of whole) expect(read(`runs/bars-seed1/${name}`).equals(bytes)).toBe(true);
  expect(read('runs/bars-seed1.safetensors').toString()).toBe('of an earlier version');
  expect(list('runs')).toEqual(['bars-seed1', 'bars-seed1-2', 'bars-seed1.safetensors', 'latest']);
  expect(read('runs/latest').toString()).toBe('bars-seed1-2\n');
  const { out } = await run('evaluate', '--weights', 'latest', '--data', data, '--workers', '1');
  expect(out).toMatch(/^bars with runs\/bars-seed1-2\/best\.safetensors on /);
  expect((await loadModel(at('runs/bars-seed1'))).spec.name).toBe('bars');
});

it('cases: work 5: a run that is resumed writes on in its folder; a branch of it gets another', async () => {
  const { train, resume, read, list } = open('resumed');
  await train('--checkpoint', 'ck', '--every', '4 steps', '--steps', '7');
  expect(list('runs')).toEqual(['bars-seed1', 'latest']);
  const { out } = await resume('ck');
  expect(out).toContain('\nSaved to runs/bars-seed1\n');
  expect(list('runs')).toEqual(['bars-seed1', 'latest']);
  const ends = read('runs/bars-seed1/events.jsonl')
    .toString()
    .split('\n')
    .filter((line) => line.includes('"end"'));
  expect(ends).toHaveLength(2);
  const last = read('runs/bars-seed1/last.safetensors');
  const branch = await resume('ck/step-0000000010', '--override', '--lr', '0.001');
  expect(branch.out).toContain('\nSaved to runs/bars-seed1-2\n');
  expect(read('runs/bars-seed1/last.safetensors').equals(last)).toBe(true);
});

it('cases: work 8: a branch of a run that was killed further on gets another folder; the run itself goes on in its own', async () => {
  const { train, resume, at, read, list } = open('killed');
  const epochs = ['--epochs', '5'];
  await train(...epochs, '--out', 'runs/whole');
  // epoch 3 ends with step 15, and may be the best; the checkpoint after it is that of 16
  const checkpoints = ['--checkpoint', 'ck', '--every', '4 steps', '--keep', '9'];
  const words = ['train', model, '--data', data, '--workers', '1', ...epochs, ...checkpoints];
  const kill = { LOCKSTEP_FAULT: 'contribute:0:18:kill' };
  expect((await startProgram(at('.'), words, undefined, kill).finished).code).toBeNull();
  const names = list('runs/bars-seed1');
  expect(names).toContain('best.safetensors');
  const before = names.map((name) => read(`runs/bars-seed1/${name}`));

  const other = ['--override', '--lr', '0.001'];
  const refused = await resume('ck/step-0000000008', ...other, '--out', 'runs/bars-seed1');
  expect(refused).toMatchObject({ code: 2, error: expect.stringMatching(/LOCKSTEP_OUT_EXISTS: .* to step 1\d, /) });
  const branch = await resume('ck/step-0000000008', ...other);
  expect(branch.error).toContain('LOCKSTEP_CHECKPOINT_BRANCH');
  expect(branch.out).toContain('\nSaved to runs/bars-seed1-2\n');
  for (const [index, name] of names.entries())
    expect(read(`runs/bars-seed1/${name}`).equals(before[index] as Buffer), name).toBe(true);

  const back = await resume('ck/branch-1');
  expect(back.out).toContain('\nSaved to runs/bars-seed1\n');
  for (const name of ['best.safetensors', 'last.safetensors'])
    expect(read(`runs/bars-seed1/${name}`).equals(read(`runs/whole/${name}`)), name).toBe(true);
});

it('cases: work 5: no folder is made with --no-save, --save FILE, in a dry run, or before a step is done', async () => {
  const { train, at, list } = open('none');
  await Promise.all([
    train('--no-save', '--steps', '1'),
    train('--dry-run'),
    train('--steps', '1', '--save', 'w.safetensors'),
  ]);
  expect(list('.')).toEqual(['w.safetensors']);
  const { code } = await train('--optimizer', 'sgd', '--lr', '1e38', '--steps', '0');
  expect(code).toBe(2);
  expect(existsSync(at('runs'))).toBe(false);
});

it('cases: work 5: --out names the folder, weights and all; one with a run in it is refused', async () => {
  const { train, list, read } = open('named');
  expect((await train('--out', 'runs/mine', '--steps', '1')).out).toContain('\nSaved to runs/mine\n');
  expect(list('runs/mine')).toEqual(expect.arrayContaining(['best.safetensors', 'last.safetensors', 'run.json']));
  expect(read('runs/latest').toString()).toBe('mine\n');
  const again = await train('--out', 'runs/mine', '--steps', '2');
  expect(again).toMatchObject({ code: 2, error: expect.stringContaining('LOCKSTEP_OUT_EXISTS') });
});
