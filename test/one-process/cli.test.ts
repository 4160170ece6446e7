/** What `train` and `evaluate` say and write, line by line: in this process. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BAR_SIDE } from '../support/bars-model.ts';
import { BARS_TEST_COUNT, findEvent, useBars } from '../support/bars-place.ts';
import { runHere } from '../support/program-here.ts';

const { place, run, train } = useBars((folder, argv) => runHere(folder, [...argv]));

describe('lockstep train', () => {
  it('prints a line per epoch and its test set, and ends with accuracy and path', async () => {
    const { code, out, error } = await train('--workers', '2', '--seed', '3');
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toMatch(/^Model: bars, 2,986 parameters\n/);
    expect(out.match(/^Epoch \d, Learning Rate: 0.01, loss=/gm)).toHaveLength(3);
    expect(out.match(/^Test set: Average loss: \d+\.\d{4}, Accuracy: \d+\/90 \(\d+\.\d\d%\)$/gm)).toHaveLength(3);
    expect(out).toMatch(/\nTest accuracy: \d+\/90 \(.*\nSaved to runs\/bars-seed3\n$/);
    expect(readdirSync(path.join(place.folder, 'runs')).sort()).toEqual(['bars-seed3', 'latest']);
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
    const config = path.join(place.folder, 'run.yaml');
    writeFileSync(config, 'model: ./bars.json\ndata: .\nseed: 9\nsave: false\nepochs: 2\nworkers: 1\n');
    const finished = await run('train', '--config', config, '--json', '--epochs', '1');
    expect(findEvent(finished, 'start')).toMatchObject({ seed: 9, workers: 1, recipe: { epochs: 1, batchSize: 64 } });
    expect(findEvent(finished, 'end')).toMatchObject({ epochs: 1 });
  });

  it('says what it would run in a dry run, does one step and saves nothing', async () => {
    const { code, out } = await train('--dry-run', '--save', 'dry.safetensors');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Dry run: one step, nothing is saved. The run: 3 epochs, saved to dry.safetensors.\nData: [\s\S]*\nModel: bars, 2,986 parameters\n/,
    );
    expect(out).toContain('0 epochs, 1 step in ');
    expect((await train('--dry-run', '--out', 'kept/here')).out).toContain(', saved to kept/here.\n');
    expect(existsSync(path.join(place.folder, 'dry.safetensors'))).toBe(false);
  });

  it('cases: numbers 13: does the one step that a dry run of a resumed run says, or says that none is left', async () => {
    const checkpoints = path.join(place.folder, 'dry');
    await train('--no-save', '--steps', '2', '--checkpoint', checkpoints);
    const { out } = await run('train', '--data', place.folder, '--resume', checkpoints, '--dry-run');
    expect(out).toMatch(/^Dry run: one step, /);
    expect(out).toContain('0 epochs, 3 steps in ');
    const left = await run('train', '--data', place.folder, '--resume', checkpoints, '--dry-run', '--json');
    expect(findEvent(left, 'end')).toMatchObject({ steps: 3, reason: 'steps' });
    await run('train', '--data', place.folder, '--resume', checkpoints, '--no-save', '--json');
    const over = await run('train', '--data', place.folder, '--resume', checkpoints, '--dry-run');
    expect(over.error).toBe('');
    expect(over.out).toMatch(/^Dry run: no step, since none is left, nothing is saved\. /);
    expect(readdirSync(checkpoints)).toContain('step-0000000015');
  });

  it('a resumed run that has no step left says so, and why: its recipe is done, or --steps is behind it', async () => {
    const checkpoints = path.join(place.folder, 'over');
    const resume = ['train', '--data', place.folder, '--resume', checkpoints, '--no-save'];
    await train('--no-save', '--steps', '4', '--checkpoint', checkpoints);
    const behind = await run(...resume, '--steps', '3', '--json');
    expect(behind.error).toContain(
      'note: the checkpoint is of step 4, and --steps 3 counts from the start of the run: no step is left\n',
    );
    expect(findEvent(behind, 'end')).toMatchObject({ steps: 4 });
    const further = await run(...resume, '--json');
    expect([further.code, further.error]).toEqual([0, expect.not.stringContaining('no step is left')]);
    const over = await run(...resume);
    expect([over.code, over.error]).toEqual([
      0,
      expect.stringContaining("note: the checkpoint is of the run's last step, 15, after 3 epochs: no step is left. "),
    ]);
  });

  it('cases: work: a dry run of a resumed run names the folder that the run writes on in', async () => {
    const checkpoints = path.join(place.folder, 'again');
    await train('--steps', '2', '--checkpoint', checkpoints, '--out', 'first');
    const resume = ['train', '--data', place.folder, '--resume', checkpoints, '--dry-run'];
    expect((await run(...resume)).out).toContain(', saved to first.\n');
    expect((await run(...resume, '--out', 'second')).out).toContain(', saved to second.\n');
    expect(existsSync(path.join(place.folder, 'second'))).toBe(false);
  });

  it('cases: work 5: says which file the weights of a run are: train, predict and export', async () => {
    await train('--steps', '1', '--out', 'named');
    const line = `note: --weights named is ${path.join('named', 'best.safetensors')}\n`;
    const flags = ['--weights', 'named'];
    const trained = await run('train', ...flags, '--data', place.folder, '--steps', '1', '--no-save');
    const exported = await run('export', ...flags, '--format', 'tfjs', '--out', 'exported/model.json');
    const csv = path.join(place.folder, 'rows.csv');
    const row = Array.from({ length: BAR_SIDE ** 2 }, (_, at) => (at * 37) % 255).join(',');
    writeFileSync(csv, `${row}\n${row}\n`);
    const predicted = await run('predict', ...flags, '--csv', csv);
    for (const { code, error } of [trained, exported, predicted])
      expect({ code, error }).toEqual({ code: 0, error: expect.stringContaining(line) });
  });

  it.each([
    ['--json and a picture', 'evaluate --weights w --json --picture /dev/stdout', '--picture and --json'],
    ['two files', 'train --trace /dev/stdout --log-file /dev/stdout --no-save', '--trace and --log-file'],
    ['--json and weights', 'train --json --save /dev/stdout', '--save and --json'],
  ])('cases: work 6: %s are not both written to stdout', async (_, words, flags) => {
    const { code, out, error } = await run(...words.split(' '));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error).toMatch(`LOCKSTEP_CLI_OPTION: ${flags} would both go to stdout, and mix there. Name a file for --`);
  });

  it('cases: numbers 12: ends with exit code 2 when it diverges in its last step, and leaves good weights alone', async () => {
    const weights = path.join(place.folder, 'good.safetensors');
    await train('--steps', '1', '--save', weights);
    const good = readFileSync(weights);
    const wild = ['--steps', '1', '--optimizer', 'sgd', '--lr', '1e38'];
    const { code, out, error } = await train(...wild, '--save', weights);
    expect(code).toBe(2);
    expect(error).toMatch(/^lockstep: LOCKSTEP_LOSS_NOT_FINITE: .* \(epoch 1\) is not a finite number\. Try a lower/m);
    expect(out).not.toContain('Saved to');
    expect(readFileSync(weights).equals(good)).toBe(true);
  });
});

describe('weights', () => {
  it('give evaluate the accuracy that the run ended with, without naming the model', async () => {
    const weights = path.join(place.folder, 'w.safetensors');
    const end = findEvent(await train('--json', '--save', weights), 'end');
    const finished = await run('evaluate', '--weights', weights, '--data', place.folder, '--json', '--mistakes', '3');
    const evaluation = findEvent(finished, 'evaluation');
    expect(evaluation).toMatchObject({
      model: 'bars',
      correct: end['testCorrect'],
      total: end['testTotal'],
      loss: end['testLoss'],
    });
    const confusion = evaluation['confusion'] as number[][];
    expect(confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(BARS_TEST_COUNT);
    expect(confusion.reduce((sum, row, label) => sum + (row[label] as number), 0)).toBe(end['testCorrect']);
    const { code, out } = await run('evaluate', place.model, '--weights', weights, '--data', place.folder);
    expect(code).toBe(0);
    expect(out).toContain('Confusion matrix (rows: label, columns: prediction)\n');
  });

  it('are what a run starts from', async () => {
    const weights = path.join(place.folder, 'initial.safetensors');
    await train('--steps', '1', '--seed', '5', '--save', weights);
    const start = (...argv: string[]) => train('--json', '--no-save', '--steps', '1', ...argv);
    const fresh = findEvent(await start(), 'end')['parametersSha256'];
    const continued = findEvent(await start('--weights', weights), 'end')['parametersSha256'];
    expect(continued).not.toBe(fresh);
  });

  it('of another model are refused', async () => {
    const weights = path.join(place.folder, 'small.safetensors');
    await train('--steps', '1', '--save', weights);
    const { code, error } = await run('evaluate', 'lenet5', '--weights', weights, '--data', place.folder);
    expect(code).toBe(2);
    expect(error).toMatch(/^lockstep: LOCKSTEP_WEIGHTS_MISMATCH: .*\n$/);
  });
});
