import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listDataFacts, tabulateClasses, textOf } from '../text/data-report-text.js';
import { createArrayDataset } from './array-dataset.js';
import { holdOutValidation } from './dataset/hold-out.js';
import { reportData } from './report-data.js';
import { DataFolder, makeGrey } from './test-data-folder.js';
import { makeClassFiles, writeFiles } from './test-images.js';

let place: DataFolder;
beforeEach(() => {
  place = new DataFolder();
});
afterEach(() => place.remove());

describe('the report on data', () => {
  it('says of a folder of pictures what was read, what was left out and how the test set came about', async () => {
    writeFiles(place.data, { ...makeClassFiles(['cat', 'dog'], 10, makeGrey), 'cat/x.avif': '', 'cat/y.webp': '' });
    const report = reportData(await place.open());
    expect(report).toMatchObject({
      name: 'things',
      form: 'pictures in a folder for each class',
      labels: 'the names of the folders',
      pieces: [{ of: '.png files', count: 20 }],
      ...{ channels: 1, height: 4, width: 3, train: 18, validation: 0, test: 2 },
      classes: [
        { name: 'cat', train: 9, validation: 0, test: 1 },
        { name: 'dog', train: 9, validation: 0, test: 1 },
      ],
      notes: [{ kind: 'left-out', count: 2, text: expect.stringContaining('left out: 1 .avif, 1 .webp') }],
    });
    expect(report.testFrom).toBe(
      'the data has none, so the last images of each class are kept for it, of 20 in all (--validation sets how many)',
    );
    expect(reportData(await place.open())).toEqual(report);
  });

  it('says of tables which column has the labels, and the flag that says otherwise', async () => {
    writeFiles(place.data, {
      'train.csv': 'a,b,c,d,target\n1,2,3,4,x\n5,6,7,8,y\n',
      'val.csv': 'a,b,c,d,target\n1,2,3,5,x\n',
      'test.csv': 'a,b,c,d,target\n1,2,3,9,x\n1,2,3,7,y\n',
    });
    const report = reportData(await place.open());
    expect(report).toMatchObject({
      labels: 'column 5 of 5 (target)',
      pieces: [
        { of: 'rows of train.csv', count: 2 },
        { of: 'rows of val.csv', count: 1 },
        { of: 'rows of test.csv', count: 2 },
      ],
      testFrom: 'a part of its own',
      validationFrom: 'a part of its own',
    });
    const guess = report.notes.find(({ flag }) => flag === '--label-column');
    expect(guess && textOf(guess)).toMatch(
      /^the labels of train\.csv are column 5 of 5 \(target\), .* \(--label-column says otherwise\)$/,
    );
  });

  it('counts what is held out for validation later, and reads nothing for it', () => {
    const images = new Uint8Array(24).map((_, i) => 11 * i);
    const split = { images, labels: [0, 1, 0, 1, 0, 1] };
    const dataset = createArrayDataset({ channels: 1, height: 2, width: 2, classes: 2, train: split, test: split });
    const report = reportData(holdOutValidation(dataset, 2));
    expect(report).toMatchObject({ train: 4, validation: 2, test: 6, form: 'arrays of a program' });
    expect(report.classes.map(({ validation }) => validation)).toEqual([1, 1]);
    expect(Object.fromEntries(listDataFacts(report))['Validation set']).toBe(
      '2: held out of the training images (--validation)',
    );
    expect(tabulateClasses(report)).toEqual({
      headings: ['Class', 'Training', 'Validation', 'Test'],
      rows: [
        ['0', '2', '1', '3'],
        ['1', '2', '1', '3'],
      ],
    });
  });
});
