import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textOf } from '../../text/data-report-text.js';
import { DataFolder } from '../test-data-folder.js';
import { writeFiles } from '../test-images.js';

let place: DataFolder;
beforeEach(() => {
  place = new DataFolder();
});
afterEach(() => {
  place.remove();
});

describe('a CSV file', () => {
  const csv = (text: string, name = 'things.csv'): void => {
    place.data = join(place.folder, name);
    writeFileSync(place.data, text);
  };
  /** Rows of 2x2 pixels after the label. */
  const rows = (...labels: (string | number)[]): string =>
    labels.map((label, index) => `${label},${index},0,255,${(index * 50) % 256}`).join('\n');

  it('takes labels from the first column and square images from the others', async () => {
    csv(`${rows(3, 0, 1)}\n`);
    const dataset = await place.open({ heldOut: 1 });
    expect(dataset).toMatchObject({ channels: 1, height: 2, width: 2, classNames: ['0', '1', '2', '3'] });
    expect([...dataset.test.images, ...dataset.test.labels]).toEqual([1, 0, 255, 50, 0]);
  });

  it('takes the column called label, or the one that is named, and texts as classes', async () => {
    csv('p1;p2;label;p3;p4\n1;2;cat;3;4\r\n5;6;"dog; big";7;8\r\n\r\n');
    const dataset = await place.open({ heldOut: 1 });
    expect(dataset.classNames).toEqual(['cat', 'dog; big']);
    expect([...dataset.test.images]).toEqual([1, 2, 3, 4]);
    csv('id,p1,p2,p3,p4\nx,1,2,3,4\ny,5,6,7,8\n');
    expect((await place.open({ labelColumn: 'id', heldOut: 1 })).classNames).toEqual(['x', 'y']);
  });

  it('reads RGB plane by plane, and other forms when told', async () => {
    csv(Array.from({ length: 4 }, (_, row) => [row % 2, ...Array.from({ length: 12 }, (_, i) => i)].join()).join('\n'));
    expect(await place.open()).toMatchObject({ channels: 3, height: 2, width: 2 });
    expect(await place.open({ csvShape: { channels: 1, height: 3, width: 4 } })).toMatchObject({
      channels: 1,
      height: 3,
      width: 4,
    });
  });

  it.each([
    ['first', (label: unknown, pixels: string) => `${label},${pixels}`],
    ['last', (label: unknown, pixels: string) => `${pixels},${label}`],
  ] as const)('takes kind,0,1,2,3 for names, unless kind is a label of another row: label %s', async (_, row) => {
    const read = async (first: string, ...labels: readonly unknown[]) => {
      csv([row(first, '0,1,2,3'), ...labels.map((label, i) => row(label, `9,${i},8,7`))].join('\n'));
      const { train, test, classNames, notes } = await place.open({ heldOut: 2 });
      const told = notes?.map(textOf).filter((note) => note.startsWith('row 1'));
      return { count: train.count + test.count, classNames, told };
    };
    const told = (name: string) => [
      `row 1 of things.csv is taken for names, as "${name}" is the label of no other row`,
    ];
    expect(await read('kind', 1, 0, 1, 0)).toEqual({ count: 4, classNames: ['0', '1'], told: told('kind') });
    expect(await read('kind', 'cat', 'dog', 'dog')).toEqual({
      count: 3,
      classNames: ['cat', 'dog'],
      told: told('kind'),
    });
    expect(await read('cat', 'dog', 'dog', 'cat')).toEqual({ count: 4, classNames: ['cat', 'dog'], told: [] });
    csv([row('kind', '0,1,2,3'), row('kind', '9,8,7,6'), row('cat', '1,2,3,4')].join('\n'));
    expect((await place.open({ heldOut: 1, labelColumn: 'kind' })).classNames).toEqual(['cat', 'kind']);
  });

  /** Rows of 3x6x6 images whose colours are far apart, flattened in an order, the label first. */
  const coloured = (order: 'hwc' | 'chw', count: number): string =>
    Array.from({ length: count }, (_, row) => {
      const value = (c: number, at: number): number => 80 * c + ((at * 7 + row * 5) % 20);
      const pixels = Array.from({ length: 108 }, (_, i) =>
        order === 'hwc' ? value(i % 3, Math.floor(i / 3)) : value(Math.floor(i / 36), i % 36),
      );
      return [row % 2, ...pixels].join();
    }).join('\n');

  it.each([
    ['hwc', 250, '[row][column][colour]'],
    ['chw', 250, '[colour][row][column]'],
    ['hwc', 20, '[row][column][colour]'],
  ] as const)('cases: data 7: finds and tells where colours are: %s, %i rows', async (order, count, text) => {
    csv(coloured('chw', count));
    const { checksum } = await place.open({ csvLayout: 'chw' });
    csv(coloured(order, count));
    const dataset = await place.open();
    expect([dataset.checksum, dataset.channels]).toEqual([checksum, 3]);
    expect(dataset.notes?.map(textOf)[1]).toMatch(
      new RegExp(
        `^the colours of things.csv are taken as ${text.replaceAll(/[[\]]/g, '\\$&')}, since neighbours differ \\d+\\.\\d times less so \\(--csv-layout says otherwise\\)$`,
      ),
    );
  });

  it('cases: data 7: --csv-layout is heeded, told by nobody, and kept for a run that goes on', async () => {
    csv(coloured('hwc', 20));
    const [found, said, other] = [
      await place.open(),
      await place.open({ csvLayout: 'hwc' }),
      await place.open({ csvLayout: 'chw' }),
    ];
    expect(said.checksum).toBe(found.checksum);
    expect(other.checksum).not.toBe(found.checksum);
    expect(said.notes?.join()).not.toContain('colours');
    expect(other.origin).toMatchObject({ form: { csvLayout: 'chw' } });
  });

  it('cases: data 7: a table is read as the rows that a model was trained on, and told where it looks otherwise', async () => {
    csv(coloured('hwc', 20));
    const { pictures, checksum } = await place.open();
    expect(pictures).toEqual({ rows: { channels: 3, height: 6, width: 6, layout: 'hwc' } });
    csv(coloured('chw', 20));
    const other = await place.open({ pictures });
    expect(other.checksum).toBe((await place.open({ csvLayout: 'hwc' })).checksum);
    expect(other.notes?.map(textOf)[1]).toMatch(
      /^the colours of things.csv are taken as \[row\]\[column\]\[colour\], as in the training images, but neighbours differ \d+\.\d times less as \[colour\]\[row\]\[column\] \(--csv-layout says otherwise\)$/,
    );
    expect(other.notes?.[1]?.kind).toBe('warning');
    expect((await place.open({ pictures, csvLayout: 'chw' })).checksum).toBe(checksum);
    csv(coloured('hwc', 20));
    const same = await place.open({ pictures });
    expect(same.checksum).toBe(checksum);
    expect(same.notes?.map(textOf).join()).not.toContain('colours');
  });

  it('cases: data 6: keeps a form of rows that would not be guessed, for rows of as many numbers', async () => {
    csv(rows(3, 0, 1));
    const said = await place.open({ csvShape: { channels: 1, height: 1, width: 4 } });
    expect(said.pictures).toEqual({ rows: { channels: 1, height: 1, width: 4, layout: 'chw' } });
    const again = await place.open({ pictures: said.pictures });
    expect(again.checksum).toBe(said.checksum);
    expect(again.notes?.map(textOf)[1]).toBe(
      'rows of things.csv are images of 1x1x4, as in the training images (--csv-shape says otherwise)',
    );
    expect((await place.open()).pictures).toBeUndefined();
    csv(`0,${'1,'.repeat(8)}1\n1,${'2,'.repeat(8)}2\n1,${'3,'.repeat(8)}3`);
    const longer = await place.open({ pictures: said.pictures, labelColumn: 'first' });
    expect(longer).toMatchObject({ height: 3, width: 3 });
  });

  it('cases: data 7: takes planes where neighbours tell nothing, and a test table in the order of the training table', async () => {
    const noise = Array.from({ length: 20 }, (_, row) =>
      [row % 2, ...Array.from({ length: 12 }, (_, i) => (i * 151 + row * 77) % 256)].join(),
    ).join('\n');
    csv(noise);
    expect((await place.open()).notes?.map(textOf)[1]).toBe(
      'the colours of things.csv are taken as [colour][row][column], as is usual (--csv-layout says otherwise)',
    );
    place.data = join(place.folder, 'things');
    const flat = `0,${'9,'.repeat(107)}9`;
    writeFiles(place.data, {
      'train.csv': coloured('hwc', 20),
      'test.csv': `${flat}\n1,${coloured('hwc', 1).slice(2)}`,
    });
    const { train, test } = await place.open();
    expect([test.images[108], test.images[108 + 36], test.images[108 + 72]]).toEqual([0, 80, 160]);
    expect(train.images[36]).toBeGreaterThanOrEqual(80);
  });

  it('reads a folder with train and test tables, packed or not', async () => {
    writeFiles(place.data, { 'mnist_train.csv': rows(0, 1, 2), 'mnist_test.csv.gz': gzipSync(rows(1, 0)) });
    const dataset = await place.open();
    expect([dataset.train.count, dataset.test.count, dataset.name]).toEqual([3, 2, 'things']);
    expect([...dataset.test.labels]).toEqual([1, 0]);
  });

  it.each([
    [
      'a cell that is no number',
      `${rows(0, 1)}\n1,2,x,4,5`,
      'LOCKSTEP_DATA_CSV: DIR, row 3, column 3: "x" is not a pixel, a whole number from 0 to 255. Expected a row per image: its label, then its pixels.',
    ],
    [
      'a pixel above 255',
      'label,a,b,c,d\n1,2,3,4,256',
      'LOCKSTEP_DATA_CSV: DIR, row 2, column 5 (d): "256" is not a pixel',
    ],
    ['an empty cell', `${rows(0)}\n1,2,,4,5`, 'LOCKSTEP_DATA_CSV: DIR, row 2, column 3: "" is not a pixel'],
    [
      'a row that is too short',
      `${rows(0)}\n\n1,2,3`,
      'LOCKSTEP_DATA_CSV: DIR, row 3: it has 3 columns, the first row has 5.',
    ],
    ['an empty label', `${rows(0)}\n,2,3,4,5`, 'LOCKSTEP_DATA_CSV: DIR, row 2: the label is empty.'],
    [
      'columns that make no image',
      '0,1,2\n1,2,3',
      'LOCKSTEP_DATA_CSV: DIR has 2 columns of pixels, which is neither a square nor three squares. Give --csv-shape',
    ],
    ['a file without rows', 'label,a,b,c,d\n', 'LOCKSTEP_DATA_CSV: DIR has no rows of pixels.'],
    ['an empty file', '', 'LOCKSTEP_DATA_CSV: DIR has no rows of pixels.'],
  ])('names the row: %s', async (_, text, message) => {
    csv(text);
    await place.expectFailure(message);
  });

  it('names the columns when the one for labels is not there', async () => {
    csv('a,b,c,d,e\n1,2,3,4,5');
    await place.expectFailure('LOCKSTEP_DATA_CSV: DIR has no column "digit": it has a, b, c, d, ...', {
      labelColumn: 'digit',
    });
    csv(rows(0, 1));
    await place.expectFailure('LOCKSTEP_DATA_CSV: DIR has no column "digit": its first row has no names', {
      labelColumn: 'digit',
    });
  });

  it('names a packed table that is damaged', async () => {
    place.data = join(place.folder, 'things.csv.gz');
    writeFileSync(place.data, gzipSync(rows(...Array.from({ length: 200 }, (_, i) => i % 3))).subarray(0, 60));
    await place.expectFailure('LOCKSTEP_DATA_GZIP: DIR cannot be unpacked: ');
  });

  const names = (count: number): string => Array.from({ length: count }, (_, i) => `p${i}`).join();
  /** Rows of 3x3 pixels, classes in turn, the label where `put` puts it; pixel 0 is one of `corner` values. */
  const table = (count: number, put: (pixels: readonly number[], label: number) => unknown[], corner = 1): string =>
    Array.from({ length: count }, (_, row) => {
      const pixels = Array.from({ length: 9 }, (_, i) => (i === 0 ? row % corner : (row * 31 + i * 17) % 256));
      pixels[8] = 0;
      return put(pixels, row % 4).join();
    }).join('\n');
  const last = (pixels: readonly number[], label: number) => [...pixels, label];
  const first = (pixels: readonly number[], label: number) => [label, ...pixels];
  const four = ['0', '1', '2', '3'];

  it.each([
    ['target', `${names(9)},target\n${table(40, last, 17)}`, 'column 10 of 10 (target), by its name'],
    [
      'an odd name',
      `${names(9)},kind\n${table(40, last, 17)}`,
      'column 10 of 10 (kind), the one that is not named like',
    ],
    ['no header, labels last', table(40, last), 'column 10 of 10, by its 4 values'],
    ['no header, labels first', table(40, first), 'column 1 of 10, by its 4 values'],
    ['Species', `Species,${names(9)}\n${table(40, first, 9)}`, 'column 1 of 10 (Species), by its name'],
  ])('cases: data 1: finds the labels by what names or values say, and tells it: %s', async (_, text, told) => {
    csv(text);
    const dataset = await place.open();
    expect([dataset.classNames, dataset.height]).toEqual([four, 3]);
    expect(dataset.notes?.map(textOf)[0]).toContain(`the labels of things.csv are ${told}`);
    expect((await place.open()).notes?.map(textOf)).toEqual(dataset.notes?.map(textOf));
  });

  it('cases: data 1: asks where both ends look like labels', async () => {
    csv(table(40, last, 8));
    await place.expectFailure(
      'LOCKSTEP_DATA_CSV: DIR: the first column and the last one both look like labels. Give --label-column first or',
    );
    expect((await place.open({ labelColumn: 'last' })).classNames).toEqual(four);
    expect((await place.open({ labelColumn: 'first' })).classNames).toHaveLength(8);
  });

  it('cases: data 2: a whole number in any notation is that number, and classes of one part alone are told', async () => {
    const text = (label: number): string => (label + 8).toExponential(18).replace('e+', 'e+0');
    csv(table(40, (pixels, label) => [text(label), ...pixels]));
    expect((await place.open()).classNames).toEqual(Array.from({ length: 12 }, (_, i) => String(i)));
    place.data = join(place.folder, 'things');
    writeFiles(place.data, {
      'train.csv': table(40, (pixels, label) => [text(label), ...pixels]),
      'test.csv': table(8, (pixels, label) => [label + 10, ...pixels]),
    });
    expect((await place.open()).notes?.map(textOf).slice(-2)).toEqual([
      'the test set has 2 classes (12, 13) without a training image',
      'the test set has no image of 2 classes (8, 9) of the training set',
    ]);
  });

  it('cases: data 3: knows a header whose columns are numbered', async () => {
    csv(`label,${Array.from({ length: 9 }, (_, i) => i)}\n${table(40, first)}`);
    expect((await place.open()).classNames).toEqual(four);
    csv(`${Array.from({ length: 10 }, (_, i) => i)}\n${table(40, first)}`);
    const dataset = await place.open();
    expect(dataset.train.count + dataset.test.count).toBe(40);
  });

  it.each([
    ['first', (pixels: readonly number[], label: number, row: number) => [row, label, ...pixels], 'column 2 of 11'],
    ['last', (pixels: readonly number[], label: number, row: number) => [row, ...pixels, label], 'column 11 of 11'],
    [
      'first, from 1',
      (pixels: readonly number[], label: number, row: number) => [row + 1, label, ...pixels],
      'column 2 of 11',
    ],
  ])(
    'cases: data 4: without a header, passes over a first column that counts rows: labels %s',
    async (_, put, told) => {
      let row = 0;
      csv(table(40, (pixels, label) => put(pixels, label, row++)));
      const dataset = await place.open();
      expect([dataset.classNames, dataset.height]).toEqual([four, 3]);
      const [labels, index] = dataset.notes?.map(textOf) ?? [];
      expect(labels).toContain(`the labels of things.csv are ${told}, by its 4 values`);
      expect(index).toBe('column 1 of things.csv, without a name, counts the rows: it is passed over');
    },
  );

  it('cases: data 4: passes over a first column id, where another has the labels', async () => {
    csv(`id,label,${names(9)}\n${table(40, (pixels, label) => [7, label, ...pixels])}`);
    expect((await place.open()).classNames).toEqual(four);
    csv(`id,${names(9)}\n${table(40, (pixels, label) => [label, ...pixels])}`);
    expect((await place.open()).classNames).toEqual(four);
  });

  it.each(['', 'Unnamed: 0', 'index'])('cases: data 4: passes over a column "%s" that counts rows', async (name) => {
    csv(`${name},label,${names(9)}\n${table(40, (pixels, label) => [999, label, ...pixels])}`);
    const dataset = await place.open();
    expect([dataset.classNames, dataset.height]).toEqual([four, 3]);
    expect(dataset.notes?.map(textOf)[1]).toBe(
      `column 1 of things.csv, ${name || 'without a name'}, counts the rows: it is passed over`,
    );
  });

  it.each([
    ['with names', `label,${names(9)}\n`, `${names(9)}\n`],
    ['without names', '', ''],
  ])(
    'cases: data 5: a test table without labels is told, and a test set held out: %s',
    async (_, header, testHeader) => {
      const test = table(10, (pixels) => [...pixels], 4);
      writeFiles(place.data, { 'train.csv': header + table(40, first), 'test.csv': testHeader + test });
      const dataset = await place.open();
      expect([dataset.train.count, dataset.test.count, dataset.heldOut]).toEqual([36, 4, 4]);
      expect(dataset.notes?.map(textOf)).toContain('test.csv has no labels: it is not read');
    },
  );

  it.each([4, 2])('cases: data 6: names both numbers where --csv-shape does not fit: 1x%ix3', async (height) => {
    csv(`label,${names(9)}\n${table(40, first)}`);
    await place.expectFailure(
      `LOCKSTEP_DATA_CSV: DIR has 9 columns of pixels, --csv-shape 1x${height}x3 takes ${height * 3}.`,
      { csvShape: { channels: 1, height, width: 3 } },
    );
  });

  it('cases: data 8: a letter of two bytes across the border of two chunks is one letter', async () => {
    const row = (label: string): string => `${label},1,2,3,4\n`;
    // the letter begins at the last byte of the first chunk
    const before = `label${'_'.repeat(100)},a,b,c,d\n`;
    const fill = row('cat').repeat(Math.floor((2 ** 20 - 200 - before.length) / row('cat').length));
    const rest = 2 ** 20 - 1 - before.length - fill.length;
    csv(`${before}${fill}${' '.repeat(rest)}щ,1,2,3,4\n${row('щ').repeat(20)}`);
    expect((await place.open()).classNames).toEqual(['cat', 'щ']);
  });

  it('cases: data 9: takes whole words of names only, and no table twice', async () => {
    writeFiles(place.data, { 'digits_train_latest.csv': table(40, first) });
    const dataset = await place.open();
    expect([dataset.train.count, dataset.test.count, dataset.heldOut]).toEqual([36, 4, 4]);
    expect(dataset.notes?.map(textOf)[0]).toBe('tables read: training digits_train_latest.csv');
  });

  it('cases: data 10: a name that holds "train" within a word is no training table', async () => {
    writeFiles(place.data, {
      'constrained_test.csv': table(8, first),
      'digits_train.csv': table(40, first),
      'more.csv': 'x',
    });
    const dataset = await place.open();
    expect([dataset.train.count, dataset.test.count]).toEqual([40, 8]);
    expect(dataset.notes?.map(textOf).slice(0, 2)).toEqual([
      'tables read: training digits_train.csv, test constrained_test.csv',
      'tables not read: more.csv',
    ]);
  });

  it('val.csv is the validation set, or the test set where there is none', async () => {
    writeFiles(place.data, { 'train.csv': table(40, first), 'val.csv': table(8, first) });
    const dataset = await place.open();
    expect([dataset.train.count, dataset.validation.count, dataset.test.count]).toEqual([40, 0, 8]);
    expect(dataset.notes?.map(textOf)).toContain(`${place.data} has no test table: val.csv is the test set`);
    writeFiles(place.data, { 'test.csv': table(12, first) });
    const all = await place.open();
    expect([all.train.count, all.validation.count, all.test.count]).toEqual([40, 8, 12]);
  });

  it.each([2, 3, 5, 10])("cases: data 11: holds out each class's last tenth, classes in turn: %i", async (classes) => {
    const count = classes * 20;
    csv(
      `label,a,b,c,d\n${Array.from({ length: count }, (_, row) => [row % classes, row % 256, 0, 0, 9].join()).join('\n')}`,
    );
    const { test, train, notes } = await place.open();
    const lastRows = Array.from({ length: 2 * classes }, (_, i) => (count - 2 * classes + i) % 256);
    expect(Array.from({ length: test.count }, (_, i) => test.images[i * 4])).toEqual(lastRows);
    expect(train.count).toBe(18 * classes);
    expect(notes).toHaveLength(1);
  });

  it('cases: data 11: nine rows of three classes say what they got', async () => {
    csv(`label,a,b,c,d\n${Array.from({ length: 9 }, (_, row) => `${row % 3},1,2,3,${row}`).join('\n')}`);
    const { test, notes } = await place.open();
    expect([...test.labels]).toEqual([0]);
    expect(notes?.map(textOf)).toContain('the test set has no image of 2 classes (1, 2) of the training set');
  });

  it('cases: peers 18: ends the reading of what has no lines, packed or not', async () => {
    const zeros = Buffer.alloc(70 << 20, '0,');
    for (const [name, bytes] of [
      ['long.csv', zeros],
      ['long.csv.gz', gzipSync(zeros, { level: 1 })],
    ] as const) {
      place.data = join(place.folder, name);
      writeFileSync(place.data, bytes);
      await expect(place.open()).rejects.toThrow(/LOCKSTEP_DATA_CSV.*long\.csv\S* has a line of more than 64 MiB/);
    }
  });
});
