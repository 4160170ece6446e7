import { describe, expect, it } from 'vitest';
import { findZooModel } from '../zoo/zoo.js';
import { formatSummary } from './summary-table.js';

const zoo = (name: string) => findZooModel(name).model;

/** Lines with every run of spaces made one. */
const squeeze = (text: string): string[] => text.split('\n').map((line) => line.trim().replace(/ +/g, ' '));

const isModule = (line: string): boolean => /^\w+-\d+ \[/.test(line);

/** The tables in the documents that the zoo's networks come from. */
const GAP19K = `
  Conv2d-1 [-1, 8, 28, 28] 80
  BatchNorm2d-2 [-1, 8, 28, 28] 16
  ReLU-3 [-1, 8, 28, 28] 0
  Conv2d-4 [-1, 8, 28, 28] 584
  BatchNorm2d-5 [-1, 8, 28, 28] 16
  ReLU-6 [-1, 8, 28, 28] 0
  Conv2d-7 [-1, 8, 28, 28] 584
  BatchNorm2d-8 [-1, 8, 28, 28] 16
  ReLU-9 [-1, 8, 28, 28] 0
  MaxPool2d-10 [-1, 8, 14, 14] 0
  Conv2d-11 [-1, 16, 14, 14] 1,168
  BatchNorm2d-12 [-1, 16, 14, 14] 32
  ReLU-13 [-1, 16, 14, 14] 0
  Conv2d-14 [-1, 16, 14, 14] 2,320
  BatchNorm2d-15 [-1, 16, 14, 14] 32
  ReLU-16 [-1, 16, 14, 14] 0
  MaxPool2d-17 [-1, 16, 7, 7] 0
  Conv2d-18 [-1, 32, 7, 7] 4,640
  BatchNorm2d-19 [-1, 32, 7, 7] 64
  ReLU-20 [-1, 32, 7, 7] 0
  Conv2d-21 [-1, 32, 7, 7] 9,248
  BatchNorm2d-22 [-1, 32, 7, 7] 64
  ReLU-23 [-1, 32, 7, 7] 0
  MaxPool2d-24 [-1, 32, 3, 3] 0
  Conv2d-25 [-1, 10, 3, 3] 330
  AvgPool2d-26 [-1, 10, 1, 1] 0`;
const TINY6K = `
  Conv2d-1 [-1, 8, 26, 26] 72
  ReLU-2 [-1, 8, 26, 26] 0
  BatchNorm2d-3 [-1, 8, 26, 26] 16
  Dropout-4 [-1, 8, 26, 26] 0
  Conv2d-5 [-1, 8, 24, 24] 576
  ReLU-6 [-1, 8, 24, 24] 0
  BatchNorm2d-7 [-1, 8, 24, 24] 16
  Dropout-8 [-1, 8, 24, 24] 0
  Conv2d-9 [-1, 8, 22, 22] 72
  Conv2d-10 [-1, 16, 22, 22] 128
  ReLU-11 [-1, 16, 22, 22] 0
  BatchNorm2d-12 [-1, 16, 22, 22] 32
  Dropout-13 [-1, 16, 22, 22] 0
  Conv2d-14 [-1, 16, 20, 20] 144
  Conv2d-15 [-1, 16, 20, 20] 256
  ReLU-16 [-1, 16, 20, 20] 0
  BatchNorm2d-17 [-1, 16, 20, 20] 32
  Dropout-18 [-1, 16, 20, 20] 0
  MaxPool2d-19 [-1, 16, 10, 10] 0
  Conv2d-20 [-1, 8, 10, 10] 128
  ReLU-21 [-1, 8, 10, 10] 0
  BatchNorm2d-22 [-1, 8, 10, 10] 16
  Dropout-23 [-1, 8, 10, 10] 0
  Conv2d-24 [-1, 16, 8, 8] 1,152
  ReLU-25 [-1, 16, 8, 8] 0
  BatchNorm2d-26 [-1, 16, 8, 8] 32
  Dropout-27 [-1, 16, 8, 8] 0
  Conv2d-28 [-1, 16, 8, 8] 2,304
  ReLU-29 [-1, 16, 8, 8] 0
  BatchNorm2d-30 [-1, 16, 8, 8] 32
  Dropout-31 [-1, 16, 8, 8] 0
  Conv2d-32 [-1, 16, 6, 6] 144
  Conv2d-33 [-1, 32, 6, 6] 512
  ReLU-34 [-1, 32, 6, 6] 0
  BatchNorm2d-35 [-1, 32, 6, 6] 64
  Dropout-36 [-1, 32, 6, 6] 0
  Conv2d-37 [-1, 32, 4, 4] 288
  Conv2d-38 [-1, 10, 4, 4] 320
  ReLU-39 [-1, 10, 4, 4] 0
  BatchNorm2d-40 [-1, 10, 4, 4] 20
  Dropout-41 [-1, 10, 4, 4] 0
  AvgPool2d-42 [-1, 10, 1, 1] 0
  Conv2d-43 [-1, 10, 1, 1] 100`;
const LENET5 = `
  Conv2d-1 [-1, 6, 24, 24] 156
  Conv2d-2 [-1, 16, 8, 8] 2,416
  Linear-3 [-1, 120] 30,840
  Linear-4 [-1, 84] 10,164
  Linear-5 [-1, 10] 850`;
const MYNET = `
  Conv2d-1 [-1, 20, 24, 24] 520
  Conv2d-2 [-1, 50, 8, 8] 25,050
  Linear-3 [-1, 500] 400,500
  Linear-4 [-1, 10] 5,010`;

describe('formatSummary in the layout of torchsummary', () => {
  it.each([
    ['gap19k', GAP19K, 26],
    ['tiny6k', TINY6K, 43],
    ['lenet5', LENET5, 5],
    ['mynet', MYNET, 4],
  ])('gives every row of the table of %s', (name, table, rowCount) => {
    const rows = squeeze(formatSummary(zoo(name), { layout: 'torchsummary' })).filter(isModule);
    expect(rows).toHaveLength(rowCount);
    expect(rows).toEqual(squeeze(table.trim()));
  });

  // The document of tiny6k leaves the sizes out (126,260 outputs twice), that of lenet5 the estimated total.
  // Of net19k only the parameters are documented; it has 102,920 outputs.
  it.each([
    ['gap19k', '19,194', ['0.00', '0.67', '0.07', '0.74']],
    ['tiny6k', '6,456', ['0.00', '0.96', '0.02', '0.99']],
    ['lenet5', '44,426', ['0.00', '0.04', '0.17', '0.21']],
    ['mynet', '431,080', ['0.00', '0.12', '1.64', '1.76']],
    ['net19k', '18,970', ['0.00', '0.79', '0.07', '0.86']],
  ])('gives every total of the table of %s', (name, parameters, [input, pass, weights, total]) => {
    const lines = formatSummary(zoo(name), { layout: 'torchsummary' }).split('\n');
    expect(lines.slice(-10)).toEqual([
      '='.repeat(64),
      `Total params: ${parameters}`,
      `Trainable params: ${parameters}`,
      'Non-trainable params: 0',
      '-'.repeat(64),
      `Input size (MB): ${input}`,
      `Forward/backward pass size (MB): ${pass}`,
      `Params size (MB): ${weights}`,
      `Estimated Total Size (MB): ${total}`,
      '-'.repeat(64),
    ]);
  });

  it('keeps the columns of torchsummary to the character', () => {
    expect(formatSummary(zoo('mynet'), { layout: 'torchsummary' }).split('\n').slice(0, 5)).toEqual([
      '----------------------------------------------------------------',
      '        Layer (type)               Output Shape         Param #',
      '================================================================',
      '            Conv2d-1           [-1, 20, 24, 24]             520',
      '            Conv2d-2             [-1, 50, 8, 8]          25,050',
    ]);
  });
});

const CNN11M = `
  ├─Sequential: 1-1 [-1, 32, 12, 12] --
  └─Conv2d: 2-1 [-1, 32, 26, 26] 832
  └─ReLU: 2-2 [-1, 32, 26, 26] --
  └─Conv2d: 2-3 [-1, 64, 26, 26] 18496
  └─ReLU: 2-4 [-1, 64, 26, 26] --
  └─MaxPool2d: 2-5 [-1, 64, 13, 13] --
  └─Conv2d: 2-6 [-1, 96, 13, 13] 55392
  └─ReLU: 2-7 [-1, 96, 13, 13] --
  └─Conv2d: 2-8 [-1, 64, 13, 13] 55360
  └─ReLU: 2-9 [-1, 64, 13, 13] --
  └─Conv2d: 2-10 [-1, 32, 13, 13] 18464
  └─ReLU: 2-11 [-1, 32, 13, 13] --
  └─Conv2d: 2-12 [-1, 32, 13, 13] 9248
  └─ReLU: 2-13 [-1, 32, 13, 13] --
  └─MaxPool2d: 2-14 [-1, 32, 12, 12] --
  ├─Sequential: 1-2 [-1, 10] --
  └─Dropout: 2-15 [-1, 4608] --
  └─Linear: 2-16 [-1, 2048] 9439232
  └─ReLU: 2-17 [-1, 2048] --
  └─Dropout: 2-18 [-1, 2048] --
  └─Linear: 2-19 [-1, 1024] 2098176
  └─ReLU: 2-20 [-1, 1024] --
  └─Linear: 2-21 [-1, 10] 10250`;

describe('formatSummary in the layout of torch-summary', () => {
  const lines = formatSummary(zoo('cnn11m'), { layout: 'torch-summary' }).split('\n');

  it('gives every row of the tree of cnn11m', () => {
    // The document lost the bars before the branches, since its tree became a Markdown table.
    const rows = lines.filter((line) => line.includes('─')).map((line) => line.replace(/^\| +/, ''));
    expect(rows).toHaveLength(23);
    expect(squeeze(rows.join('\n'))).toEqual(squeeze(CNN11M.trim()));
  });

  it('gives its totals, with multiply-adds counted once: 47.91 M, not 59.61 M', () => {
    expect(lines).toEqual(
      expect.arrayContaining([
        'Total params: 11,705,450',
        'Trainable params: 11,705,450',
        'Non-trainable params: 0',
        'Total mult-adds (M): 47.91',
      ]),
    );
  });

  it('indents as the package does', () => {
    expect(lines.slice(1, 5)).toEqual([
      'Layer (type:depth-idx)                   Output Shape              Param #',
      '='.repeat(90),
      '├─Sequential: 1-1                        [-1, 32, 12, 12]          --',
      '|    └─Conv2d: 2-1                       [-1, 32, 26, 26]          832',
    ]);
  });

  it('lists layers outside of containers at depth 1', () => {
    const rows = squeeze(formatSummary(zoo('mynet'), { layout: 'torch-summary' })).filter((line) => line.includes('─'));
    expect(rows).toEqual([
      '├─Conv2d: 1-1 [-1, 20, 24, 24] 520',
      '├─Conv2d: 1-2 [-1, 50, 8, 8] 25050',
      '├─Linear: 1-3 [-1, 500] 400500',
      '├─Linear: 1-4 [-1, 10] 5010',
    ]);
  });
});

describe('formatSummary in the layout of Lockstep', () => {
  it('lists functional layers too, with windows, multiply-adds and receptive fields', () => {
    expect(`\n${formatSummary(zoo('lenet5'))}\n`).toBe(`
-------------------------------------------------------------------------------------
        Layer (type)          Output Shape      Param #    k/s/p     Mult-adds  Field
=====================================================================================
            Conv2d-1       [-1, 6, 24, 24]          156    5/1/0        86,400      5
              F.relu       [-1, 6, 24, 24]            0                             5
        F.max_pool2d       [-1, 6, 12, 12]            0    2/2/0                    6
            Conv2d-2        [-1, 16, 8, 8]        2,416    5/1/0       153,600     14
              F.relu        [-1, 16, 8, 8]            0                            14
        F.max_pool2d        [-1, 16, 4, 4]            0    2/2/0                   16
             flatten             [-1, 256]            0                            16
            Linear-3             [-1, 120]       30,840                 30,720     28
              F.relu             [-1, 120]            0                            28
            Linear-4              [-1, 84]       10,164                 10,080     28
              F.relu              [-1, 84]            0                            28
            Linear-5              [-1, 10]          850                    840     28
=====================================================================================
Total params: 44,426
Trainable params: 44,426
Non-trainable params: 0
Total mult-adds (M): 0.28
-------------------------------------------------------------------------------------
Input size (MB): 0.00
Forward/backward pass size (MB): 0.04
Params size (MB): 0.17
Estimated Total Size (MB): 0.21
Receptive field (pixels): 28
-------------------------------------------------------------------------------------
k/s/p: kernel, stride, padding. Mult-adds and sizes are for one image.
`);
  });

  it('numbers modules as torchsummary does', () => {
    const rows = squeeze(formatSummary(zoo('tiny6k'))).filter(isModule);
    expect(rows.map((row) => /^\w+-\d+ \[[^\]]*\] [\d,]+/.exec(row)?.[0])).toEqual(squeeze(TINY6K.trim()));
  });
});
