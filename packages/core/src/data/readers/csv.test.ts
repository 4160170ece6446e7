import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
    expect([...dataset.test.images, ...dataset.test.labels]).toEqual([2, 0, 255, 100, 1]);
  });

  it('takes the column called label, or the one that is named, and texts as classes', async () => {
    csv('p1;p2;label;p3;p4\n1;2;cat;3;4\r\n5;6;"dog; big";7;8\r\n\r\n');
    const dataset = await place.open({ heldOut: 1 });
    expect(dataset.classNames).toEqual(['cat', 'dog; big']);
    expect([...dataset.test.images]).toEqual([5, 6, 7, 8]);
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
});
