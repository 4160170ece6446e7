/** A user's own pictures, from a folder of RGB PNGs to predictions, in this process. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PlanarImage } from '@lockstep/core/data';
import { encodePngImage } from '@lockstep/core/data/pictures';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Finished } from '../support/digit-bars.ts';
import { runHere } from '../support/program-here.ts';

const CLASSES = ['cross', 'disc', 'stripes'] as const;
const SIDE = 24;
const TRAIN_PER_CLASS = 60;
const TEST_PER_CLASS = 12;

let folder: string;
let data: string;
let weights: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-own-'));
  vi.stubEnv('LOCKSTEP_CACHE', path.join(folder, 'cache'));
  data = path.join(folder, 'shapes');
  weights = path.join(folder, 'shapes.safetensors');
  for (const [part, count, from] of [
    ['train', TRAIN_PER_CLASS, 0],
    ['test', TEST_PER_CLASS, 1000],
  ] as const) {
    for (const name of CLASSES) {
      mkdirSync(path.join(data, part, name), { recursive: true });
      for (let i = 0; i < count; i++) write(path.join(data, part, name, `${i}.png`), drawShape(name, from + i, SIDE));
    }
  }
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const write = (file: string, image: PlanarImage): void => writeFileSync(file, encodePngImage(image));

/** A bright shape on a coloured ground; place, size and colours depend on `index`. */
function drawShape(name: (typeof CLASSES)[number], index: number, side: number): PlanarImage {
  const pixels = new Uint8Array(3 * side * side);
  const [cx, cy] = [0.5 + 0.04 * ((index % 5) - 2), 0.5 + 0.04 * ((Math.floor(index / 5) % 5) - 2)];
  const radius = 0.22 + 0.02 * (index % 4);
  const ground = [40 + ((index * 37) % 80), 40 + ((index * 53) % 80), 40 + ((index * 71) % 80)];
  for (let i = 0; i < side * side; i++) {
    const [dx, dy] = [((i % side) + 0.5) / side - cx, (Math.floor(i / side) + 0.5) / side - cy];
    const isInside = {
      cross: Math.abs(Math.abs(dx) - Math.abs(dy)) < 0.08 && Math.max(Math.abs(dx), Math.abs(dy)) < radius,
      disc: dx * dx + dy * dy < radius * radius,
      stripes: Math.floor((dx + 2) * 8) % 2 === 0 && Math.abs(dy) < radius,
    }[name];
    for (let c = 0; c < 3; c++) pixels[c * side * side + i] = isInside ? 230 - 30 * c : (ground[c] as number);
  }
  return { channels: 3, height: side, width: side, pixels };
}

const run = (argv: readonly string[], input?: Uint8Array): Promise<Finished> => runHere(folder, argv, input);

const lastJson = ({ out }: Finished): Record<string, unknown> => JSON.parse(out.trimEnd().split('\n').at(-1) ?? '');

describe('a folder of RGB PNGs', () => {
  it('trains a model that was made for MNIST, which tells what was changed', async () => {
    const train = ['train', 'gap19k', '--data', data, '--epochs', '12', '--batch-size', '32', '--workers', '2'];
    const finished = await run([...train, '--json', '--save', weights]);
    expect({ code: finished.code, error: finished.error }).toEqual({
      code: 0,
      error:
        'note: gap19k was changed to fit the data: input 1x28x28 to 3x24x24, layer 26 (avgPool 3) to globalAvgPool, 10 classes to 3\n' +
        `Saved to ${weights}\n`,
    });
    const end = lastJson(finished);
    expect(end['testTotal']).toBe(3 * TEST_PER_CLASS);
    expect(end['testAccuracy']).toBeGreaterThanOrEqual(0.9);
    const again = await run([...train, '--json', '--no-save', '--workers', '1']);
    expect(lastJson(again)['parametersSha256']).toBe(end['parametersSha256']);
  });

  it('is evaluated under the names of its classes, with a picture of the mistakes', async () => {
    const picture = path.join(folder, 'worst.svg');
    const { code, out, error } = await run(['evaluate', '--weights', weights, '--data', data, '--picture', picture]);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toMatch(/\n {9}cross +disc +stripes\n/);
    expect(out).toMatch(/\nClass +Images +Precision +Recall +F1\ncross +12 /);
    expect(out).toContain('Calibration (expected calibration error: ');
    expect(readFileSync(picture, 'utf8')).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  });

  it('as JSON has scores per class and calibration', async () => {
    const report = lastJson(await run(['evaluate', '--weights', weights, '--data', data, '--json']));
    expect(report).toMatchObject({
      event: 'evaluation',
      total: 36,
      classes: CLASSES.map((name) => ({ name, total: 12 })),
    });
    expect(report['dataReport']).toMatchObject({
      form: 'pictures in a folder for each class',
      pieces: [{ of: '.png files', count: expect.any(Number) }],
      test: 36,
      notes: [],
    });
    expect(report['calibration']).toMatchObject({ expectedError: expect.any(Number), bins: expect.any(Array) });
  });

  it('gives evaluate and predict the same classes, file by file', async () => {
    const images = CLASSES.map((name) => path.join(data, 'test', name));
    const predicted = await run(['predict', '--weights', weights, '--json', ...images]);
    const rows = predicted.out
      .trimEnd()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as {
            class: string;
            image: string;
            probability: number;
            probabilities: Record<string, number>;
            changes: string[];
          },
      );
    const right = rows.filter((row) => row.image.includes(`${path.sep}${row.class}${path.sep}`)).length;
    const report = lastJson(await run(['evaluate', '--weights', weights, '--data', data, '--json']));
    expect([rows.length, right]).toEqual([36, report['correct']]);
    for (const { class: name, probability, probabilities, changes } of rows) {
      expect(changes).toEqual([]);
      expect(probabilities[name]).toBeCloseTo(probability, 5);
      expect(Object.values(probabilities).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
    }
  });

  it('cases: data 30: predict goes on past a bad picture of a folder, names it, and ends with exit code 2', async () => {
    const mixed = path.join(folder, 'mixed');
    const nameOf = (index: number): string => path.join(mixed, `${index}.png`);
    mkdirSync(mixed);
    for (const index of [0, 2]) write(nameOf(index), drawShape('disc', index, 24));
    writeFileSync(nameOf(1), 'RIFF....WEBP');
    const { code, out, error } = await run(['predict', '--weights', weights, '--json', mixed]);
    expect(code).toBe(2);
    const lines = out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).image)).toEqual([nameOf(0), nameOf(2)]);
    expect(error).toContain(`${nameOf(1)} is a WebP image`);
  });

  it('cases: data 22: predict reads BMP, GIF and TIFF files of a folder, and tells what it leaves out', async () => {
    const kinds = path.join(folder, 'kinds');
    mkdirSync(kinds);
    // 3x2 pixels each, as Pillow writes them
    const files = {
      'a.bmp':
        'Qk1OAAAAAAAAADYAAAAoAAAAAwAAAAIAAAABABgAAAAAABgAAADEDgAAxA4AAAAAAAAAAAAA7WYlihKM8sEhAAAAzCAimZd/fAe2AAAA',
      'b.gif': 'R0lGODlhAwACAIEAAAoUHsgAAADIAAAAyCH5BAEAAAIALAAAAAADAAIAAAgJAAEEEDBAQICAADs=',
      'c.tif':
        'SUkqABwAAAAIIiDMf5eZtgd8CCVm7YwSiiHB8goAAAEDAAEAAAADAAAAAQEDAAEAAAACAAAAAgEDAAMAAACaAAAAAwEDAAEAAAAFgAAABgEDAAEAAAACAAAAEQEEAAEAAAAIAAAAFQEDAAEAAAADAAAAFgEDAAEAAAACAAAAFwEEAAEAAAAUAAAAHAEDAAEAAAABAAAAAAAAAAgACAAIAA==',
      'd.webp': '',
    };
    for (const [name, base64] of Object.entries(files)) {
      writeFileSync(path.join(kinds, name), Buffer.from(base64, 'base64'));
    }
    const { code, out, error } = await run(['predict', '--weights', weights, '--json', kinds]);
    expect(code).toBe(0);
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ image }) => path.basename(image))).toEqual(['a.bmp', 'b.gif', 'c.tif']);
    // the same pixels give the same answer
    expect(rows[2].probabilities).toEqual(rows[0].probabilities);
    expect(rows[1].changes[0]).toMatch(/^transparent parts made /);
    expect(error).toContain(
      `note: 1 picture of ${kinds} left out: d.webp; PNG, JPEG, BMP, GIF and TIFF images are read`,
    );
    for (const name of ['a.bmp', 'b.gif', 'c.tif']) rmSync(path.join(kinds, name));
    expect((await run(['predict', '--weights', weights, kinds])).error).toContain(
      `LOCKSTEP_PREDICT_IMAGE: the folder ${kinds} has no PNG, JPEG, BMP, GIF or TIFF image in it; d.webp: other kinds are not read.`,
    );
  });

  it('predicts a larger picture from stdin, and says what it did to it', async () => {
    const png = encodePngImage(drawShape('disc', 3, 100));
    const { code, out } = await run(['predict', '--weights', weights, '-'], png);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Image +Class +Probability +Else +What was done to it\n- +disc +\d+\.\d\d% .*resized from 100x100 to 24x24\n$/,
    );
  });

  it('fits a smaller number of classes and --resize', async () => {
    rmSync(path.join(folder, 'two'), { recursive: true, force: true });
    for (const name of ['cross', 'disc'] as const) {
      mkdirSync(path.join(folder, 'two', name), { recursive: true });
      for (let i = 0; i < 30; i++) write(path.join(folder, 'two', name, `${i}.png`), drawShape(name, i, 20 + i));
    }
    const saved = path.join(folder, 'two.safetensors');
    const train = ['train', 'lenet5', '--data', path.join(folder, 'two'), '--resize', '28', '--validation', '10'];
    const finished = await run([...train, '--steps', '5', '--json', '--save', saved]);
    expect(finished.code).toBe(0);
    expect(finished.error).toContain(
      'note: the data has no test set; 10 of its 60 images, the last of each class, are kept for one',
    );
    expect(finished.error).toContain('input 1x28x28 to 3x28x28, 10 classes to 2');
    expect(lastJson(finished)['testTotal']).toBe(10);
    const report = lastJson(await run(['evaluate', '--weights', saved, '--data', path.join(folder, 'two'), '--json']));
    expect([report['total'], report['correct']]).toEqual([10, lastJson(finished)['testCorrect']]);
  });

  it('cannot be evaluated when it has a class that the model does not know', async () => {
    const other = path.join(folder, 'other');
    for (const name of ['disc', 'star']) {
      mkdirSync(path.join(other, name), { recursive: true });
      for (let i = 0; i < 3; i++) write(path.join(other, name, `${i}.png`), drawShape('disc', i, SIDE));
    }
    const { code, error } = await run(['evaluate', '--weights', weights, '--data', other]);
    expect(code).toBe(2);
    expect(error).toContain(
      'LOCKSTEP_DATA_CLASSES: ' +
        other +
        ' has the class star, which the model does not know: it knows cross, disc, stripes.',
    );
  });
});

describe('bad input ends with exit code 2, one line, and nothing written', () => {
  const text = (name: string, content: string | Uint8Array) => (): string => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  };
  const pictures = (files: Record<string, Uint8Array | string>) => (): string => {
    const directory = mkdtempSync(path.join(folder, 'bad-'));
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.join(directory, path.dirname(name)), { recursive: true });
      writeFileSync(path.join(directory, name), content);
    }
    return directory;
  };
  const png = (side: number): Uint8Array => encodePngImage(drawShape('disc', 1, side));

  it.each([
    ['a path that is not there', () => path.join(folder, 'nix'), 'LOCKSTEP_DATA_PATH: there is nothing at '],
    ['an empty folder', pictures({}), 'LOCKSTEP_DATA_PATH: '],
    ['a damaged picture', pictures({ 'a/1.png': png(8), 'b/1.png': png(8).subarray(0, 70) }), 'LOCKSTEP_DATA_IMAGE: '],
    ['a text called .jpg', pictures({ 'a/1.png': png(8), 'b/1.jpg': 'hello' }), 'LOCKSTEP_DATA_IMAGE: '],
    ['pictures of two sizes', pictures({ 'a/1.png': png(28), 'b/1.png': png(27) }), 'LOCKSTEP_DATA_SHAPE: '],
    ['a picture that is too large', pictures({ 'a/1.png': png(257), 'b/1.png': png(257) }), 'LOCKSTEP_DATA_SHAPE: '],
    ['a class without pictures', pictures({ 'a/1.png': png(28), 'b/note.txt': '' }), 'LOCKSTEP_DATA_CLASSES: '],
    ['one class', pictures({ 'a/1.png': png(28), 'a/2.png': png(28) }), 'LOCKSTEP_DATA_CLASSES: '],
    ['a table with text for a pixel', text('t.csv', '0,1,2,3,4\n1,2,3,x,5\n'), 'LOCKSTEP_DATA_CSV: '],
    ['a table with a short row', text('u.csv', '0,1,2,3,4\n1,2,3\n'), 'LOCKSTEP_DATA_CSV: '],
    ['an archive that is none', text('v.npz', 'PK'), 'LOCKSTEP_DATA_NPZ: '],
    ['a file of another kind', text('w.pdf', ''), 'LOCKSTEP_DATA_PATH: '],
    [
      'pictures too small for the model',
      pictures({ 'a/1.png': png(8), 'a/2.png': png(8), 'b/1.png': png(8) }),
      'LOCKSTEP_DATA_MODEL: ',
    ],
  ])('%s', async (_, make, start) => {
    const save = path.join(folder, 'runs-bad', 'w.safetensors');
    const { code, out, error } = await run(['train', 'lenet5', '--data', make(), '--save', save]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error.replace(/^note: .*\n/gm, '')).toMatch(new RegExp(`^lockstep: ${start}[^\n]*\n$`));
    expect(existsSync(path.dirname(save))).toBe(false);
  });

  it.each([
    [
      ['predict', '--weights', 'W', 'nix.png'],
      'LOCKSTEP_PREDICT_IMAGE: cannot read the image nix.png: there is no such file.',
    ],
    [['predict', '--weights', 'W', 'HERE'], 'LOCKSTEP_PREDICT_IMAGE: the folder '],
    [
      ['predict', '--weights', 'W', '-'],
      'LOCKSTEP_DATA_IMAGE: the image on stdin is empty, expected a PNG, JPEG, BMP, GIF or TIFF image. Convert it (magick mogrify -format png FILE) or remove it.',
    ],
    [['predict', 'a.png'], 'LOCKSTEP_CLI_OPTION: predict needs --weights <file>'],
    [['predict', '--weights', 'W'], 'LOCKSTEP_CLI_ARGUMENT: predict needs IMAGES'],
    [['export', '--weights', 'W'], 'LOCKSTEP_CLI_OPTION: export needs --format <name>: '],
    [['export', '--weights', 'W', '--format', 'onx'], 'LOCKSTEP_CLI_OPTION: --format onx: must be one of '],
    [
      ['export', '--weights', 'W', '--format', 'html'],
      'LOCKSTEP_EXPORT_HTML: gap19k reads images of 3 channels; on the page one draws in one.',
    ],
    [
      ['export', '--weights', 'W', '--format', 'onnx', '--out', '/proc/nix/x.onnx'],
      'LOCKSTEP_SAVE_PATH: cannot write --out /proc/nix/x.onnx: ',
    ],
    [['export', '--weights', 'nix.safetensors', '--format', 'onnx'], 'LOCKSTEP_WEIGHTS_READ: '],
    [
      ['evaluate', '--weights', 'W', '--data', 'DATA', '--picture', '/proc/nix/x.svg'],
      'LOCKSTEP_SAVE_PATH: cannot write --picture /proc/nix/x.svg: ',
    ],
    [
      ['train', '--resize', '0x5'],
      'LOCKSTEP_CLI_OPTION: --resize 0x5: must be a height and a width up to 256, such as 28x28',
    ],
    [
      ['train', '--csv-shape', '28x28'],
      'LOCKSTEP_CLI_OPTION: --csv-shape 28x28: must be channels, height and width, such as 3x32x32',
    ],
  ])('%j', async (argv, start) => {
    const before = readdirSync(folder);
    const places: Record<string, string> = { W: weights, HERE: folder, DATA: data };
    const { code, out, error } = await run(argv.map((word) => places[word] ?? word));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error.startsWith(`lockstep: ${start}`), error).toBe(true);
    expect(error.trimEnd().split('\n')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(before);
  });
});
