/** Checkpoints, transfer learning and averaging on the command line. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { loadModel } from '../../packages/cli/dist/index.js';
import { useBars } from '../support/bars-place.ts';
import { type Finished, readEvents } from '../support/digit-bars.js';
import { runHere } from '../support/program-here.js';

const { place, run } = useBars((folder, argv) => runHere(folder, [...argv]));

const lastEvent = (finished: Finished) => readEvents(finished).at(-1) as Record<string, unknown>;

it('--every 4 steps is two words; --resume alone goes on to the same bits', async () => {
  const common = ['--data', place.folder, '--json', '--no-save'];
  const whole = await run('train', place.model, ...common, '--ema', '0.9');
  const first = await run(
    'train',
    place.model,
    ...common,
    '--ema',
    '0.9',
    '--checkpoint',
    'ckpt',
    '--every',
    '4',
    'steps',
    '--steps',
    '9',
  );
  expect(first.code).toBe(0);
  expect(readdirSync(path.join(place.folder, 'ckpt'))).toEqual([
    'step-0000000004',
    'step-0000000008',
    'step-0000000009',
  ]);
  const resumed = await run('train', '--resume', 'ckpt', ...common, '--workers', '3');
  const { parametersSha256, emaSha256 } = lastEvent(whole);
  expect(lastEvent(resumed)).toMatchObject({ parametersSha256, emaSha256, reason: 'completed' });
  const { out } = await run('train', '--resume', 'ckpt', '--data', place.folder, '--no-save');
  expect(out).toContain('\nResumed: after step 15\n');
  expect(out).toMatch(/\nMoving average: \d+\/90 \(/);
});

it('a recipe that differs is an error with exit code 2 and nothing written', async () => {
  await run('train', place.model, '--data', place.folder, '--no-save', '--checkpoint', 'other', '--steps', '3');
  const argv = ['train', '--resume', 'other', '--data', place.folder, '--lr', '0.5', '--save', 'no.safetensors'];
  const { code, out, error } = await run(...argv);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(error).toMatch(
    /^lockstep: LOCKSTEP_CHECKPOINT_DIFFERS: the run differs from the checkpoint of step 3: recipe.learningRate is 0.5, was 0.01. /,
  );
  expect(existsSync(path.join(place.folder, 'no.safetensors'))).toBe(false);
  const overridden = await run(...argv, '--override');
  expect(overridden.code).toBe(0);
  expect(overridden.error).toContain('warning: LOCKSTEP_CHECKPOINT_OVERRIDE: the run goes on from step 3 although ');
});

it('cases: work: --replace-head of another number than the data has classes is refused, with the number that fits', async () => {
  await run('train', place.model, '--data', place.folder, '--steps', '1', '--save', 'base.safetensors');
  const { code, error } = await run(
    ...['train', '--weights', 'base.safetensors', '--replace-head', '5', '--data', place.folder, '--no-save'],
  );
  expect(code).toBe(2);
  expect(error).toMatch(
    /^lockstep: LOCKSTEP_DATA_MODEL: --replace-head 5 gives the model 5 classes, the data \(.*\) has 10\. Give --replace-head 10, /m,
  );
  expect(error).not.toContain('was changed to fit');
});

it('--weights with --freeze and --replace-head says what it loaded, and saves state and average', async () => {
  await run('train', place.model, '--data', place.folder, '--save', 'base.safetensors');
  const argv = [
    'train',
    '--weights',
    'base.safetensors',
    '--freeze',
    'features.*',
    '--replace-head',
    '12',
    '--data',
    place.folder,
  ];
  const { code, error } = await run(
    ...argv,
    '--ema',
    '0.9',
    '--save',
    'new.safetensors',
    '--save-ema',
    'ema.safetensors',
  );
  expect(code).toBe(0);
  expect(error.split('\n').slice(0, 4)).toEqual([
    'Weights from base.safetensors, by name; 4 frozen',
    '  loaded: 0.weight, 0.bias, 1.weight, 1.bias, 1.running_mean, 1.running_var',
    '  skipped: 6.weight [10, 288], of the replaced head; 6.bias [10], of the replaced head',
    '  new: 6.weight, 6.bias',
  ]);
  const [base, fresh, average] = await Promise.all(
    ['base', 'new', 'ema'].map((name) => loadModel(path.join(place.folder, `${name}.safetensors`))),
  );
  expect(fresh?.spec.classes).toBe(12);
  expect(fresh?.state.parameters.slice(0, 4)).toEqual(base?.state.parameters.slice(0, 4));
  expect(average?.state.parameters.slice(0, 4)).toEqual(base?.state.parameters.slice(0, 4));
  expect(average?.sha256).not.toBe(fresh?.sha256);
});

it('--patience ends a run that gets no better', async () => {
  const argv = [
    'train',
    place.model,
    '--data',
    place.folder,
    '--no-save',
    '--json',
    '--epochs',
    '500',
    '--patience',
    '2',
    '--lr',
    '1e-9',
  ];
  expect(lastEvent(await run(...argv))).toMatchObject({ reason: 'patience' });
});
