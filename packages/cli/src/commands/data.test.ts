import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeImage, encodePngImage } from '@lockstep/core/data/pictures';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../main.js';
import { RecordingIo } from '../testing/recording-io.js';

let folder: string;
let table: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-data-command-'));
  vi.stubEnv('LOCKSTEP_CACHE', join(folder, 'cache'));
  table = join(folder, 'digits.csv');
  const rows = Array.from({ length: 20 }, (_, i) => `${i % 9},${i},1,${(i * 7) % 13},${i % 2 ? 'odd' : 'even'}`);
  writeFileSync(table, `a,b,c,d,species\n${rows.join('\n')}\n`);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function run(...argv: string[]) {
  const io = new RecordingIo();
  const code = await main(argv, io);
  return { code, lines: io.stdout.lines, error: io.stderr.text };
}

describe('lockstep data', () => {
  it('says what data are: where from, the label, the parts, what was guessed, and the classes', async () => {
    expect(await run('data', table)).toEqual({
      code: 0,
      error: '',
      lines: [
        `Data:            18 + 2 images from ${table}`,
        'Form:            tables with a row for each image',
        'Read:            20 rows of digits.csv',
        'Images:          1x2x2 (channels x height x width)',
        'Labels:          column 5 of 5 (species)',
        'Training set:    18',
        'Validation set:  none',
        'Test set:        2: the data has none, so the last images of each class are kept for it, of 20 in all (--validation sets how many)',
        expect.stringMatching(/^Pixels: {10}mean 0\.0\d+, std 0\.0\d+, dark ground, white 17$/),
        'Guessed:         the labels of digits.csv are column 5 of 5 (species), by its name (--label-column says otherwise)',
        'Guessed:         the largest pixel of the training images is 17, and taken for white (--white says otherwise)',
        '',
        'Class  Training  Test',
        'even          9     1',
        'odd           9     1',
      ],
    });
  });

  it('gives the same as one JSON object, and holds out what --validation says', async () => {
    const { lines } = await run('data', table, '--validation', '4', '--white', '200', '--json');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      event: 'data',
      labels: 'column 5 of 5 (species)',
      pieces: [{ of: 'rows of digits.csv', count: 20 }],
      test: 4,
      pixels: expect.stringContaining('white 200'),
      notes: [{ kind: 'guessed', flag: '--label-column' }],
      classes: [
        { name: 'even', train: 8, validation: 0, test: 2 },
        { name: 'odd', train: 8, validation: 0, test: 2 },
      ],
    });
  });

  it('draws a sheet, a row of training images for each class, on the scale of their white', async () => {
    const sheet = join(folder, 'sheets', 's.png');
    const { code, lines } = await run('data', table, '--sheet', sheet);
    expect([code, lines.at(-1)]).toEqual([0, `Sheet: ${sheet}, a row for each of the 2 classes in this order`]);
    const { width, height, pixels } = decodeImage(readFileSync(sheet), 's.png');
    // cells of 6x6 with 6 around each: nine a row, two rows
    expect([width, height]).toEqual([6 + 9 * 12, 6 + 2 * 12]);
    const cell = (row: number, column: number) => pixels[(6 + 12 * row) * width + 6 + 12 * column];
    const firsts = (row: number): number[] => Array.from({ length: 9 }, (_, column) => cell(row, column) as number);
    // the first pixels of the two classes are i % 9 for even and odd i up to 17
    const scaled = Array.from({ length: 9 }, (_, value) => Math.round((value * 255) / 17));
    expect(firsts(0).sort((a, b) => a - b)).toEqual(scaled);
    expect(firsts(1).sort((a, b) => a - b)).toEqual(scaled);
  });

  it('shrinks large pictures on the sheet, and keeps their colours', async () => {
    const photos = join(folder, 'photos');
    for (const [name, colour] of [
      ['blue', [0, 0, 255]],
      ['red', [255, 0, 0]],
    ] as const) {
      mkdirSync(join(photos, name), { recursive: true });
      const pixels = Uint8Array.from({ length: 3 * 200 * 100 }, (_, i) => colour[Math.floor(i / 20_000)] as number);
      for (let i = 0; i < 2; i++) {
        writeFileSync(join(photos, name, `${i}.png`), encodePngImage({ channels: 3, height: 200, width: 100, pixels }));
      }
    }
    await run('data', photos, '--sheet', join(folder, 'p.png'));
    const { width, height, channels, pixels } = decodeImage(readFileSync(join(folder, 'p.png')), 'p.png');
    expect([channels, height]).toEqual([3, 6 + 2 * 102]);
    const at = (6 * width + 6) * 3;
    expect([...pixels.subarray(at, at + 3)]).toEqual([0, 0, 255]);
  });

  it('cases: data 21: tells blank and equal images, in training on stderr and by --dry-run too', async () => {
    const blank = join(folder, 'blank.csv');
    writeFileSync(blank, Array.from({ length: 60 }, (_, i) => `${i % 3}${',9'.repeat(64)}`).join('\n'));
    const warnings = [
      '60 of 60 images are blank: all pixels of an image are equal',
      'all 54 training images are the same',
    ];
    const { lines } = await run('data', blank);
    for (const text of warnings) expect(lines).toContain(`Warning:         ${text}`);
    const model = join(folder, 'm8.json');
    const layers = [{ type: 'flatten' }, { type: 'linear', outFeatures: 10 }];
    const input = { channels: 1, height: 8, width: 8 };
    writeFileSync(model, JSON.stringify({ name: 'm8', input, classes: 10, layers }));
    const dry = await run('train', model, '--data', blank, '--dry-run', '--workers', '1');
    expect(dry.code).toBe(0);
    for (const text of warnings) {
      expect(dry.error).toContain(`warning: ${text}\n`);
      expect(dry.lines).toContain(`Warning:         ${text}`);
    }
  });

  it('cases: data 25: orders classes by name, numbers first and by value, and tells where torchvision has another order', async () => {
    const many = join(folder, 'many.csv');
    const names = ['10', '2', 'b', 'B'];
    writeFileSync(many, Array.from({ length: 40 }, (_, i) => `${names[i % 4]},${i},1,2,3`).join('\n'));
    const { lines } = await run('data', many, '--label-column', 'first');
    expect(lines.slice(-4).map((line) => line.split(' ')[0])).toEqual(['2', '10', 'B', 'b']);
    expect(lines.join('\n')).toContain(
      'Guessed:         classes are in the order 2, 10, B, b; torchvision has 10, 2, B, b',
    );
  });

  it('refuses what it cannot do before it reads anything', async () => {
    expect(await run('data', join(folder, 'none'))).toMatchObject({ code: 2, lines: [] });
    expect((await run('data', table, '--sheet', folder)).error).toContain(
      `cannot write --sheet ${folder}: it is a folder`,
    );
    expect((await run('data', table, 'another')).error).toContain('data takes one argument, what is "another"?');
  });
});
