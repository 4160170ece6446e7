/** `predict --csv`: rows of a table, with and without labels, as the same rows are evaluated. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { textOf } from '../../packages/core/dist/text/index.js';

let folder: string;
const file = (name: string): string => path.join(folder, name);

/** Pixels of 4x4 from 0 to `white`: class `light` is light in its upper half, `dark` in its lower one. */
const row = (index: number, white: number): number[] =>
  Array.from({ length: 16 }, (_, i) =>
    Math.round(white * (i < 8 === (index % 2 === 0) ? 0.7 + (index % 7) / 25 : 0.1)),
  );
const nameOf = (index: number): string => (index % 2 === 0 ? 'light' : 'dark');
const PIXELS = Array.from({ length: 16 }, (_, i) => `pixel${i}`).join(',');

/** A table of 30 rows. */
function write(name: string, header: string, cells: (index: number) => readonly (number | string)[]): string {
  const rows = Array.from({ length: 30 }, (_, index) => cells(index).join(','));
  const text = `${[header, ...rows].filter(Boolean).join('\n')}\n`;
  writeFileSync(file(name), name.endsWith('.gz') ? gzipSync(text) : text);
  return file(name);
}

async function run(...argv: string[]) {
  const io = new RecordingIo();
  const code = await main(argv, io);
  return { code, lines: io.stdout.lines, error: io.stderr.text };
}

const predict = (table: string, ...more: string[]) =>
  run('predict', '--weights', file('w.safetensors'), '--csv', table, ...more);

async function classesOf(table: string, ...more: string[]): Promise<string[]> {
  const { lines } = await predict(table, '--json', ...more);
  return lines.slice(1).map((line) => (JSON.parse(line) as { class: string }).class);
}

const right = Array.from({ length: 30 }, (_, index) => nameOf(index));

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-predict-table-'));
  vi.stubEnv('LOCKSTEP_CACHE', file('cache'));
  const layers = [{ type: 'flatten' }, { type: 'linear', outFeatures: 2 }];
  const input = { channels: 1, height: 4, width: 4 };
  const recipe = { epochs: 8, batchSize: 16, learningRate: 0.05 };
  writeFileSync(file('m.json'), JSON.stringify({ name: 'm', input, classes: 2, layers, recipe }));
  const table = write('train.csv', `label,${PIXELS}`, (i) => [nameOf(i), ...row(i, 16)]);
  const options = ['--data', table, '--workers', '1', '--save', file('w.safetensors')];
  expect((await run('train', file('m.json'), ...options)).code).toBe(0);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('cases: data 5: predict --csv', () => {
  it('reads a table without labels, with a header or none, plain or packed', async () => {
    for (const [name, header] of [
      ['test.csv', PIXELS],
      ['plain.csv', ''],
      ['packed.csv.gz', PIXELS],
    ] as const) {
      const table = write(name, header, (i) => row(i, 16));
      expect(await classesOf(table), name).toEqual(right);
      expect((await predict(table)).error, name).toBe('');
    }
  });

  it('passes over a column of labels, of numbers of rows or of names, and says which', async () => {
    const labelled = write('labelled.csv', `${PIXELS},species`, (i) => [...row(i, 16), 'unknown']);
    expect(await classesOf(labelled)).toEqual(right);
    expect((await predict(labelled)).error).toBe(
      'note: column 17 of 17 (species) of labelled.csv is no pixel, by its name: it is passed over (--label-column says otherwise)\n',
    );
    const empty = write('empty.csv', `label,${PIXELS}`, (i) => ['', ...row(i, 16)]);
    expect(await classesOf(empty)).toEqual(right);
    const counted = write('counted.csv', `,${PIXELS}`, (i) => [i, ...row(i, 16)]);
    expect(await classesOf(counted)).toEqual(right);
    expect((await predict(counted)).error).toBe(
      'note: column 1 of counted.csv, without a name, counts the rows: it is passed over\n',
    );
    const named = write('named.csv', `who,${PIXELS}`, (i) => [`x${i}`, ...row(i, 16)]);
    expect(await classesOf(named, '--label-column', 'who')).toEqual(right);
  });

  it('gives a line and an object for each row, with the probability that --json of a picture has', async () => {
    const table = write('test.csv', PIXELS, (i) => row(i, 16));
    const { lines } = await predict(table);
    expect(lines).toHaveLength(31);
    expect(lines[1]).toMatch(/^row 1 +light +\d+\.\d\d%/);
    const first = JSON.parse((await predict(table, '--json')).lines[30] as string) as Record<string, unknown>;
    expect(first).toMatchObject({
      event: 'prediction',
      image: table,
      row: 30,
      class: 'dark',
      classIndex: 0,
      changes: [],
    });
    expect(Object.keys(first['probabilities'] as object)).toEqual(['dark', 'light']);
  });

  it('says under --json first what the table is, as a training does', async () => {
    const table = write('bright.csv', `who,${PIXELS}`, (i) => [nameOf(i), ...row(i, 255)]);
    const { lines, error } = await predict(table, '--json', '--label-column', 'who');
    const data = JSON.parse(lines[0] as string);
    expect(data).toMatchObject({
      event: 'data',
      form: 'a table with a row for each image',
      pieces: [{ of: 'rows of bright.csv', count: 30 }],
      labels: 'column 1 of 17 (who), not read',
      train: 0,
      test: 30,
      classes: [],
      notes: [
        { kind: 'left-out', flag: '--label-column' },
        {
          kind: 'guessed',
          text: 'the images were scaled from white 255 to the 15 of the training images',
          flag: '--white and --ground',
        },
      ],
    });
    expect(error.split('\n')).toEqual([...data.notes.map(textOf).map((text: string) => `note: ${text}`), '']);
  });

  it('brings pixels of another white to those of the training, and says so', async () => {
    const table = write('bright.csv', PIXELS, (i) => row(i, 255));
    expect(await classesOf(table)).toEqual(right);
    expect((await predict(table)).error).toMatch(
      /^note: the images were scaled from white 255 to the 15 of the training/,
    );
  });

  it.each([
    [['--csv', 'wide.csv'], 'wide.csv has 17 columns of pixels, the model reads 1x4x4: 16.'],
    [['--csv', 'none.csv'], 'none.csv is no file. Give --csv a table, plain or .gz.'],
    [[], 'predict needs IMAGES, or --csv FILE: what is it to look at?'],
    [['--csv', 'wide.csv', 'x.png'], 'predict takes images or --csv, not both at once'],
  ])('is refused where it cannot be meant: %j', async (argv, text) => {
    write('wide.csv', '', (i) => [...row(i, 16), 0, i % 2]);
    const named = argv.map((word) => (word.endsWith('.csv') ? file(word) : word));
    const { code, error } = await run('predict', '--weights', file('w.safetensors'), ...named);
    expect([code, error]).toEqual([2, expect.stringContaining(text)]);
  });
});
