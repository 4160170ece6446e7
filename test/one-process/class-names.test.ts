/** With a model that has class names data map by name, in evaluate, predict, resume, train --weights and the library. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadModel, openDataset, train } from '../../packages/cli/dist/index.js';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';

let folder: string;
const file = (name: string): string => path.join(folder, name);
const weights = (): string => file('w.safetensors');

const NAMES = ['ant', 'bee', 'cow'];

/** A table of 2x2 images, in which the class of a row is the pixel that is light. */
function write(name: string, classes: readonly string[], rows = 24): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const own = classes[i % classes.length] as string;
    const pixels = [0, 1, 2, 3].map((at) => (at === NAMES.indexOf(own) ? 200 + (i % 40) : (i * 7) % 30));
    return [own, ...pixels].join(',');
  });
  writeFileSync(file(name), `label,a1,a2,a3,a4\n${lines.join('\n')}\n`);
  return file(name);
}

async function run(...argv: string[]) {
  const io = new RecordingIo();
  const code = await main(argv, io);
  return { code, lines: io.stdout.lines, error: io.stderr.text };
}

const absent = 'warning: the data has no image of 1 class that the model knows: bee\n';

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-names-'));
  vi.stubEnv('LOCKSTEP_CACHE', file('cache'));
  const head = { type: 'linear', outFeatures: 3 };
  const layers = [{ type: 'flatten' }, { type: 'linear', outFeatures: 8 }, { type: 'relu' }, head];
  const recipe = { epochs: 30, batchSize: 16, learningRate: 0.05 };
  const input = { channels: 1, height: 2, width: 2 };
  writeFileSync(file('m.json'), JSON.stringify({ name: 'm', input, classes: 3, layers, recipe }));
  const options = ['--data', write('all.csv', NAMES, 60), '--workers', '1', '--save', weights()];
  const { lines } = await run(
    'train',
    file('m.json'),
    ...options,
    '--checkpoint',
    file('ckpt'),
    '--every',
    '10 epochs',
  );
  expect(lines.join('\n')).toContain('Test accuracy: 6/6');
  // without bee, cow would be class 1 by the data's own order
  write('some.csv', ['cow', 'ant']);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('data of some of the classes of a model', () => {
  it('are evaluated by name, and missing classes are told', async () => {
    const { lines, error } = await run(
      'evaluate',
      '--weights',
      weights(),
      '--data',
      file('some.csv'),
      '--split',
      'train',
      '--json',
    );
    const { correct, total } = JSON.parse(lines[0] as string) as { correct: number; total: number };
    expect([correct, error]).toEqual([total, expect.stringContaining(absent)]);
  });

  it('are evaluated by name in the library', async () => {
    const model = await loadModel(weights());
    const dataset = await openDataset(file('some.csv'));
    expect(dataset.classNames).toEqual(['ant', 'cow']);
    const { correct, total } = await model.evaluate(dataset, { split: 'train', workers: 1 });
    expect(correct).toBe(total);
  });

  it('are predicted with the names of the model', async () => {
    const { lines } = await run('predict', '--weights', weights(), '--csv', file('some.csv'), '--json');
    const answers = lines.map((line) => JSON.parse(line) as { class?: string }).filter((line) => 'class' in line);
    expect(answers.slice(0, 4).map((answer) => answer.class)).toEqual(['cow', 'ant', 'cow', 'ant']);
  });

  it('are trained on further by name, with --weights and in the library: the first loss is that of a trained model', async () => {
    const argv = [
      '--weights',
      weights(),
      '--data',
      file('some.csv'),
      '--steps',
      '1',
      '--no-save',
      '--workers',
      '1',
      '--lr',
      '1e-9',
    ];
    const { lines, error } = await run('train', ...argv, '--json');
    expect(error).toContain(absent);
    const end = JSON.parse(lines.at(-1) as string) as { testAccuracy: number };
    expect(end.testAccuracy).toBe(1);
    const again = train({
      weights: weights(),
      data: file('some.csv'),
      steps: 1,
      workers: 1,
      recipe: { learningRate: 1e-9 },
    });
    const events = [];
    for await (const event of again) events.push(event);
    expect(events.at(-1)).toMatchObject({ event: 'end', testAccuracy: 1 });
    expect((await again.result()).notes.classNames).toEqual(NAMES);
  });

  it('are resumed with by name', async () => {
    const argv = [
      '--resume',
      file('ckpt'),
      '--override',
      '--data',
      write('as-many.csv', ['cow', 'ant'], 60),
      '--epochs',
      '31',
      '--no-save',
      '--no-checkpoint',
    ];
    const { code, lines, error } = await run('train', ...argv, '--lr', '1e-9', '--workers', '1', '--json');
    expect(error).toContain(absent);
    expect([code, JSON.parse(lines.at(-1) as string)]).toMatchObject([0, { testAccuracy: 1 }]);
  });

  it('with a class that the model does not know are refused, and --replace-head is named', async () => {
    const other = write('other.csv', ['ant', 'dog']);
    const text = 'has the class dog, which the model does not know: it knows ant, bee, cow.';
    for (const argv of [
      ['evaluate', '--weights', weights()],
      ['train', '--weights', weights(), '--no-save'],
    ]) {
      const { code, error } = await run(...argv, '--data', other);
      expect([code, error]).toEqual([2, expect.stringContaining(text)]);
      expect(error).toContain('--replace-head 2');
    }
    const replaced = [
      '--weights',
      weights(),
      '--data',
      other,
      '--replace-head',
      '2',
      '--steps',
      '1',
      '--no-save',
      '--workers',
      '1',
    ];
    expect((await run('train', ...replaced)).code).toBe(0);
  });
});
