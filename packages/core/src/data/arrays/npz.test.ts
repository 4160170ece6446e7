import { describe, expect, it } from 'vitest';
import { readNpz } from './npz.js';
import { bytesArray, bytesOf, makeNpy, makeNpz, readArrays, readFiles } from './test-arrays.js';
import { listZip } from './zip-archive.js';

const counting = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const twoImages = bytesArray([2, 2, 3], counting(12));
const twoLabels = makeNpy('<i8', [2], bytesOf(BigInt64Array.of(1n, 0n)));
const oneLabel = bytesArray([1], [0]);

describe('readNpz', () => {
  it("reads Keras's names, train and test, and tells which arrays it took", () => {
    const arrays = { x_train: twoImages, y_train: twoLabels, x_test: twoImages, y_test: twoLabels };
    const { train, test, notes } = readArrays(arrays);
    expect(train).toMatchObject({ channels: 1, height: 2, width: 3, labels: ['1', '0'] });
    expect([...train.images]).toEqual(counting(12));
    expect(test?.labels).toEqual(['1', '0']);
    expect(notes).toEqual([
      'arrays read: training images x_train with labels y_train, test images x_test with labels y_test',
    ]);
  });

  it("reads MedMNIST's names, labels in a column, and no test set where there is none", () => {
    const { train, test } = readArrays({ train_images: twoImages, train_labels: bytesArray([2, 1], [4, 5]) });
    expect([train.labels, test]).toEqual([['4', '5'], undefined]);
  });

  it.each([
    ['X', 'y'],
    ['data', 'target'],
    ['imgs', 'labels'],
    ['X_train', 'Y_train'],
    ['xtrain', 'ytrain'],
    ['trainX', 'trainY'],
    ['train_x', 'train_y'],
    ['training.images', 'training.labels'],
    ['mnist_images', 'mnist_labels'],
  ])('cases: data 14: knows %s and %s', (images, labels) => {
    expect(readArrays({ [images]: twoImages, [labels]: twoLabels }).train.labels).toEqual(['1', '0']);
  });

  it.each([
    ['arr_0', 'arr_1'],
    ['arr_1', 'arr_0'],
    ['drawings', 'kinds'],
  ])('cases: data 14: takes two arrays whose forms tell for what they are: %s and %s', (images, labels) => {
    const { train, notes } = readArrays({ [images]: twoImages, [labels]: twoLabels });
    expect(train.labels).toEqual(['1', '0']);
    expect(notes).toEqual([`arrays read: training images ${images} with labels ${labels}, by their forms`]);
  });

  it.each([
    ['as they were given', ['arr_0', 'arr_1', 'arr_2', 'arr_3']],
    ['images before labels', ['arr_0', 'arr_2', 'arr_1', 'arr_3']],
  ])('takes four arrays whose forms tell for a training and a test part: %s', (_, [x, y, testX, testY]) => {
    const three = [bytesArray([3, 2, 3], counting(18)), bytesArray([3], [5, 6, 7])] as const;
    const arrays = {
      [String(x)]: three[0],
      [String(y)]: three[1],
      [String(testX)]: twoImages,
      [String(testY)]: twoLabels,
    };
    const { train, test, notes } = readArrays(Object.fromEntries(Object.entries(arrays).sort()));
    expect([train.labels, test?.labels]).toEqual([
      ['5', '6', '7'],
      ['1', '0'],
    ]);
    expect(notes).toEqual([
      `arrays read: training images ${x} with labels ${y}, test images ${testX} with labels ${testY}, by their forms`,
    ]);
    const same = { ...arrays, [String(x)]: twoImages, [String(y)]: twoLabels };
    expect(() => readArrays(same)).toThrow('LOCKSTEP_DATA_NPZ: x.npz holds arr_0, ');
  });

  it('tells which arrays are not read', () => {
    const { notes } = readArrays({ x: twoImages, y: twoLabels, fine_labels: twoLabels, x_test: twoImages });
    expect(notes).toEqual(['arrays read: training images x with labels y', 'arrays not read: fine_labels, x_test']);
  });

  it('cases: data 17: val is the validation set, or the test set where there is none', () => {
    const val = { val_images: twoImages, val_labels: twoLabels };
    const train = { train_images: twoImages, train_labels: twoLabels };
    const [without, all] = [
      readArrays({ ...train, ...val }),
      readArrays({ ...train, ...val, test_images: twoImages, test_labels: bytesArray([2], [3, 3]) }),
    ];
    expect([without.test?.labels, without.validation]).toEqual([['1', '0'], undefined]);
    expect(without.notes).toContain('there are no test arrays: validation is the test set');
    expect([all.validation?.labels, all.test?.labels]).toEqual([
      ['1', '0'],
      ['3', '3'],
    ]);
  });

  it.each([0, 6] as const)('issue 23: an array whose CRC is another is named, not read: level %i', (level) => {
    const archive = makeNpz({ x: twoImages, y: twoLabels }, level);
    const view = new DataView(archive.buffer, archive.byteOffset);
    const entry = view.getUint32(archive.length - 6, true);
    view.setUint32(entry + 16, view.getUint32(entry + 16, true) ^ 1, true);
    expect(() => readFiles([{ path: 'x.npz', bytes: archive }])).toThrow(
      'LOCKSTEP_DATA_NPZ: array x of x.npz does not have the CRC-32 that the directory says. The file is damaged.',
    );
  });

  it('reads one dataset out of files of one array each, by what their names say', () => {
    const file = (name: string, array: Uint8Array) => ({
      path: `d/${name}.npz`,
      words: name,
      bytes: makeNpz({ arr_0: array }),
    });
    const { train, test, notes } = readFiles([
      file('kmnist-train-imgs', twoImages),
      file('kmnist-train-labels', twoLabels),
      file('kmnist-test-imgs', twoImages),
      { path: 'd/kmnist-test-labels.npy', words: 'kmnist-test-labels', bytes: bytesArray([2], [7, 8]) },
    ]);
    expect([train.labels, test?.labels]).toEqual([
      ['1', '0'],
      ['7', '8'],
    ]);
    expect(notes?.[0]).toContain('training images arr_0 of kmnist-train-imgs.npz with labels arr_0 of kmnist-train-l');
  });

  it('refuses files of more than one dataset', () => {
    const file = (words: string) => ({
      path: `${words}.npz`,
      words,
      bytes: makeNpz({ x: twoImages, y: twoLabels }),
    });
    expect(() => readNpz([file('fashion'), file('mnist')])).toThrow(
      'LOCKSTEP_DATA_NPZ: fashion.npz, mnist.npz has more than one dataset: fashion, mnist. Give one with a dataset alone.',
    );
  });
});

describe('the labels of an .npz file', () => {
  const labelled = (labels: Uint8Array) => readArrays({ x: twoImages, y: labels });

  it.each([
    ['bytes', makeNpy('|S3', [2], Buffer.from('7\0\0cat')), ['7', 'cat']],
    ['texts', makeNpy('<U1', [2], bytesOf(Uint32Array.of(98, 97))), ['b', 'a']],
    ['whole floats', makeNpy('<f4', [2], bytesOf(Float32Array.of(3, 10))), ['3', '10']],
    ['booleans', makeNpy('|b1', [2], Uint8Array.of(1, 0)), ['1', '0']],
    ['one-hot rows', makeNpy('<f8', [2, 3], bytesOf(Float64Array.of(0, 0, 1, 1, 0, 0))), ['2', '0']],
    ['one-hot rows, column by column', makeNpy('|u1', [2, 3], Uint8Array.of(0, 1, 0, 0, 1, 0), 'True'), ['2', '0']],
  ])('cases: data 14: are read as %s', (_, labels, names) => {
    expect(labelled(labels).train.labels).toEqual(names);
  });

  it('that are one-hot are told', () => {
    expect(labelled(bytesArray([2, 2], [0, 1, 1, 0])).notes).toContain(
      'array y of x.npz has one-hot rows: a label is the place of its 1',
    );
  });

  it.each([
    ['no 1', [0, 0, 0, 0, 1, 0], 'array y of x.npz: row 0 is 0, 0, 0, expected one-hot rows'],
    ['two of them', [1, 0, 0, 1, 0, 1], 'array y of x.npz: row 1 is 1, 0, 1, expected one-hot rows'],
    ['a 2', [2, 0, 1, 0, 1, 0], 'array y of x.npz: row 0 is 2, 0, 1, expected one-hot rows'],
  ])('in rows with %s are refused', (_, values, text) => {
    expect(() => labelled(bytesArray([2, 3], values))).toThrow(text);
  });
});

describe('the form of the images of an .npz file', () => {
  const formed = (shape: readonly number[], values: Iterable<number>, options = {}) =>
    readArrays(
      { images: bytesArray(shape, values), labels: bytesArray([shape[0] as number], counting(shape[0] as number)) },
      options,
    );

  it('brings channels from the last axis to the first', () => {
    const { train } = formed([1, 2, 2, 3], counting(12));
    expect(train).toMatchObject({ channels: 3, height: 2, width: 2 });
    expect([...train.images]).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  });

  it.each([
    [[1, 5, 4, 4], { channels: 5, height: 4, width: 4 }],
    [[1, 3, 8, 8], { channels: 3, height: 8, width: 8 }],
    [[1, 3, 20, 30], { channels: 3, height: 20, width: 30 }],
    [[1, 20, 30, 3], { channels: 3, height: 20, width: 30 }],
    [[1, 1, 8, 8], { channels: 1, height: 8, width: 8 }],
    [[1, 8, 8, 1], { channels: 1, height: 8, width: 8 }],
    [[1, 8, 8, 2], { channels: 2, height: 8, width: 8 }],
    [[1, 10, 12, 3], { channels: 3, height: 10, width: 12 }],
    [[1, 8, 8], { channels: 1, height: 8, width: 8 }],
    [[1, 64], { channels: 1, height: 8, width: 8 }],
    [[1, 192], { channels: 3, height: 8, width: 8 }],
  ])('is told from the shape %j', (shape, form) => {
    const count = shape.reduce((product, side) => product * side, 1);
    expect(formed(shape, counting(count)).train).toMatchObject(form);
  });

  const smooth = (x: number, y: number, c: number): number => 10 * x + 11 * y + 80 * c;
  const hwc = counting(27).map((i) => smooth(Math.floor(i / 3) % 3, Math.floor(i / 9), i % 3));
  const chw = counting(27).map((i) => smooth(i % 3, Math.floor(i / 3) % 3, Math.floor(i / 9)));

  it.each<[string, readonly number[], readonly number[]]>([
    ['pixel by pixel, where the shape says nothing', [1, 3, 3, 3], hwc],
    ['plane by plane, where the shape says nothing', [1, 3, 3, 3], chw],
    ['pixel by pixel in rows', [1, 27], hwc],
    ['plane by plane in rows', [1, 27], chw],
  ])('is found by neighbours that are alike, and told: %s', (_, shape, values) => {
    const { train, notes } = formed(shape, values);
    expect([...train.images]).toEqual(chw);
    const order = values === hwc ? '[row][column][colour]' : '[colour][row][column]';
    expect(notes?.find((note) => note.startsWith('the colours of'))).toMatch(
      `the colours of array images of x.npz are taken as ${order}, since neighbours differ `,
    );
    expect([...formed(shape, values, { layout: 'chw' }).train.images]).toEqual([...values]);
  });

  it.each<[string, readonly number[]]>([
    ['rows', [1, 27]],
    ['a shape that says nothing', [1, 3, 3, 3]],
  ])(
    'cases: data 7: is kept for the model, holds for arrays that come later, and is told where they look otherwise: %s',
    (_, shape) => {
      const { pictures } = formed(shape, hwc);
      expect(pictures).toEqual({ rows: { channels: 3, height: 3, width: 3, layout: 'hwc' } });
      expect(formed(shape, chw, { layout: 'hwc' }).pictures).toEqual(pictures);
      const { train, notes } = formed(shape, chw, { pictures });
      expect([...train.images]).toEqual([...formed(shape, chw, { layout: 'hwc' }).train.images]);
      expect(notes?.find((note) => note.includes('as in the training images, but'))).toMatch(
        /^the colours of array images of x.npz are taken as \[row\]\[column\]\[colour\], as in the training images, but neighbours differ /,
      );
    },
  );

  it('of four channels that were said is kept: they are no alpha to the model', () => {
    const values = counting(16);
    const said = formed([1, 2, 2, 4], values, { shape: { channels: 4, height: 2, width: 2 } });
    const later = formed([1, 2, 2, 4], values, { pictures: said.pictures });
    expect([later.train.channels, [...later.train.images]]).toEqual([4, [...said.train.images]]);
  });

  it('where nothing tells is the usual one, and told', () => {
    const noise = counting(12).map((i) => (i * 151) % 256);
    const { train, notes } = formed([1, 12], noise);
    expect([...train.images]).toEqual(noise);
    expect(notes).toContain(
      'the colours of array images of x.npz are taken as [colour][row][column], as is usual (--csv-layout says otherwise)',
    );
  });

  it('cases: data 14: rows become squares, or what --csv-shape says', () => {
    const { train, notes } = formed([2, 4], counting(8));
    expect([train.height, train.width]).toEqual([2, 2]);
    expect(notes).toContain('rows of array images of x.npz are images of 1x2x2 (--csv-shape says otherwise)');
    const shape = { channels: 1, height: 1, width: 4 };
    expect(formed([2, 4], counting(8), { shape }).train).toMatchObject(shape);
  });

  it('cases: data 15: a fourth channel behind is alpha over a ground that is told and kept', () => {
    // light on nothing: white where alpha is 255
    const light = [255, 255, 255, 255, 255, 255, 255, 0, 255, 255, 255, 128, 255, 255, 255, 0];
    const { train, notes, pictures } = formed([1, 2, 2, 4], light);
    expect([train.channels, [...train.images]]).toEqual([3, [255, 0, 128, 0, 255, 0, 128, 0, 255, 0, 128, 0]]);
    expect(pictures).toEqual({ under: 0 });
    expect(notes).toContain(
      'the fourth channel of array images of x.npz is taken for alpha: 1 training image with transparent parts: these were laid on black (--csv-shape 4x2x2 says otherwise)',
    );
    const dark = light.map((value, i) => (i % 4 === 3 ? value : 0));
    expect(formed([1, 2, 2, 4], dark).pictures).toEqual({ under: 255 });
    expect(formed([1, 2, 2, 4], light, { pictures: { under: 255 } }).train.images[1]).toBe(255);
    expect(formed([1, 2, 2, 4], light, { shape: { channels: 4, height: 2, width: 2 } }).train.channels).toBe(4);
    expect(formed([1, 4, 8, 8], counting(256)).train.channels).toBe(4);
  });
});

describe('the values of the images of an .npz file', () => {
  const half = (values: readonly number[]) => makeNpy('<f2', [1, 1, values.length], bytesOf(Uint16Array.from(values)));
  const floats = (...values: number[]) => makeNpy('<f4', [1, 1, values.length], bytesOf(Float32Array.from(values)));
  const doubles = (...values: number[]) => makeNpy('<f8', [1, 1, values.length], bytesOf(Float64Array.from(values)));
  const images = (array: Uint8Array, testArray?: Uint8Array) =>
    readArrays({ x: array, y: oneLabel, ...(testArray && { x_test: testArray, y_test: oneLabel }) });

  it.each([
    ['fractions are multiplied by 255', floats(0, 0.5, 1), [0, 128, 255]],
    ['fractions of 16 bits too', half([0x0000, 0x3800, 0x3c00]), [0, 128, 255]],
    ['whole floats are taken as they are', floats(0, 7, 255), [0, 7, 255]],
    ['whole floats of 0 to 16 as well', doubles(0, 7, 16), [0, 7, 16]],
    ['integers are taken as they are', makeNpy('<i8', [1, 1, 2], bytesOf(BigInt64Array.of(0n, 200n))), [0, 200]],
    ['booleans are 0 and 1', makeNpy('|b1', [1, 1, 2], Uint8Array.of(0, 1)), [0, 1]],
  ])('%s', (_, array, pixels) => {
    expect([...images(array).train.images]).toEqual(pixels);
  });

  const sixteen = (...values: number[]) => makeNpy('<u2', [1, 1, values.length], bytesOf(Uint16Array.from(values)));

  it('16 bits keep the upper byte, or have their largest training value for white, which is told and kept', () => {
    const full = images(sixteen(0, 256, 65_535), sixteen(0, 0, 511));
    expect([[...full.train.images], [...(full.test?.images ?? [])]]).toEqual([
      [0, 1, 255],
      [0, 0, 1],
    ]);
    expect([full.pictures, full.notes.length]).toEqual([{ white16: 65_535 }, 1]);
    const low = images(sixteen(0, 500, 1000), sixteen(0, 250, 2000));
    expect([[...low.train.images], [...(low.test?.images ?? [])]]).toEqual([
      [0, 128, 255],
      [0, 64, 255],
    ]);
    expect(low.pictures).toEqual({ white16: 1000 });
    expect(low.notes).toContain('array x of x.npz has 16 bits: 1,000, their largest value, is taken for white');
    const ofModel = readArrays({ x: sixteen(0, 500, 1000), y: oneLabel }, { pictures: { white16: 2000 } });
    expect([...ofModel.train.images]).toEqual([0, 64, 128]);
    expect([...images(sixteen(0, 7, 255)).train.images]).toEqual([0, 7, 255]);
  });

  it('numbers up to 255 with a fraction are rounded, which is told', () => {
    const { train, notes } = images(floats(0.25, 199.5, 254.75));
    expect([...train.images]).toEqual([0, 200, 255]);
    expect(notes).toContain('array x of x.npz is read as numbers up to 255, rounded to whole ones');
  });

  it.each<[string, Uint8Array, string]>([
    ['above 1', doubles(0.3125, 1, 1.0000001, 1.5), 'element [0, 0, 2] is 1.0000001'],
    ['above 255', doubles(0.25, 200, 255.5), 'element [0, 0, 2] is 255.5'],
    ['whole above 255', makeNpy('<i4', [1, 1, 2], bytesOf(Int32Array.of(3, 256))), 'element [0, 0, 1] is 256'],
    ['below 0', floats(0.5, -0.5), 'element [0, 0, 1] is -0.5'],
    ['no number', floats(0.5, Number.NaN), 'element [0, 0, 1] is NaN'],
    ['no end', floats(Number.POSITIVE_INFINITY, 0.5), 'element [0, 0, 0] is Infinity'],
  ])('cases: data 13: the first value that is out of range is named with its index: %s', (_, array, text) => {
    expect(() => images(array)).toThrow(
      `LOCKSTEP_DATA_NPZ: array x of x.npz: ${text}, expected whole numbers from 0 to 255, or floats from 0 to 1.`,
    );
  });

  it("a test part is read by the training part's scale where it can be", () => {
    const { test, notes } = images(floats(0, 7, 255), floats(0, 1, 1));
    expect([[...(test?.images ?? [])], notes?.length]).toEqual([[0, 1, 1], 1]);
  });

  it('cases: data 16: a part of another scale is brought to it, and told', () => {
    const { test, notes } = images(floats(0, 7, 16), floats(0, 0.5, 1));
    expect([...(test?.images ?? [])]).toEqual([0, 128, 255]);
    expect(notes).toContain(
      'array x_test of x.npz is read as fractions of 1, multiplied by 255, the training images as whole numbers',
    );
  });
});

describe('what cannot be read in an .npz file', () => {
  it.each<[string, Record<string, Uint8Array>, string]>([
    ['other names', { a: twoImages }, 'x.npz holds a, expected arrays named x_train and y_train; '],
    [
      'rows that are no square',
      { x: bytesArray([2, 6], counting(12)), y: twoLabels },
      'array x of x.npz has rows of 6 numbers, which is neither a square nor three squares. Give --csv-shape',
    ],
    [
      'a shape of five sides',
      { x: bytesArray([2, 1, 1, 2, 2], counting(8)), y: twoLabels },
      'array x of x.npz has the shape (2, 1, 1, 2, 2), expected (count, height, width)',
    ],
    [
      'more images than labels',
      { x: bytesArray([3, 2, 2], counting(12)), y: twoLabels },
      'array x of x.npz has 3 images, array y of x.npz has 2 labels.',
    ],
    [
      'texts for pixels',
      { x: makeNpy('<U1', [2, 1, 1], new Uint8Array(8)), y: twoLabels },
      'has texts, expected numbers',
    ],
    [
      'labels in a table',
      { x: twoImages, y: makeNpy('<U1', [2, 3], new Uint8Array(24)) },
      'array y of x.npz has the shape (2, 3), expected one label per image',
    ],
    [
      'a negative label',
      { x: twoImages, y: makeNpy('|i1', [2], Uint8Array.of(1, 255)) },
      'array y of x.npz: label 1 is -1, expected a whole number of at least 0, or a text.',
    ],
    ['no images', { x: bytesArray([0, 2, 2], []), y: bytesArray([0], []) }, 'array x of x.npz has no images.'],
  ])('is named: %s', (_, arrays, text) => {
    expect(() => readArrays(arrays)).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_DATA_NPZ', text: expect.stringContaining(text) }),
    );
  });

  it('is said where a form was asked for', () => {
    const arrays = { x: twoImages, y: twoLabels };
    expect(() => readArrays(arrays, { shape: { channels: 1, height: 2, width: 2 } })).toThrow(
      'array x of x.npz has 6 numbers of pixels, --csv-shape 1x2x2 takes 4.',
    );
    expect(() => readArrays(arrays, { shape: { channels: 1, height: 3, width: 2 } })).toThrow(
      'array x of x.npz has the shape (2, 2, 3), expected (count, height, width), or 1 to 16 channels beside them with --csv-shape 1x3x2.',
    );
  });

  it('is said of what is no zip archive', () => {
    expect(() => readFiles([{ path: 'x.npz', bytes: Uint8Array.of(1, 2, 3, 4) }])).toThrow(
      'LOCKSTEP_DATA_NPZ: x.npz is not a zip archive that can be unpacked: ',
    );
  });

  it.each<[string, Record<string, Uint8Array>, string]>([
    [
      'a member far larger than its array',
      { x: Buffer.concat([twoImages, new Uint8Array(1 << 24)]), y: twoLabels },
      'array x of x.npz has 16777228 bytes of data, |u1 of shape (2, 2, 3) takes 12. The file is damaged.',
    ],
    [
      'labels far more than images',
      { x: twoImages, y: bytesArray([1 << 24], new Uint8Array(1 << 24)) },
      'array x of x.npz has 2 images, array y of x.npz has 16777216 labels.',
    ],
    [
      'any number of empty texts',
      { x: twoImages, y: makeNpy('<U0', [4_000_000_000], new Uint8Array(0)) },
      'array y of x.npz has only empty texts, <U0.',
    ],
  ])('cases: peers 18: is found before it is unpacked: %s', (_, arrays, text) => {
    const archive = makeNpz(arrays, 6);
    // nobody could unpack the rest
    for (const { name, at, packedBytes } of listZip(archive, 'x.npz')) {
      if (packedBytes > 10_000) archive.fill(0xff, at + 30 + name.length + 9000, at + 30 + name.length + packedBytes);
    }
    expect(() => readFiles([{ path: 'x.npz', bytes: archive }])).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_DATA_NPZ', text }),
    );
  });

  it('issue 25: is a text of any length, which is a label', () => {
    const long = makeNpy('<U200000', [2], bytesOf(new Uint32Array(400_000).fill(97)));
    expect(readArrays({ x: twoImages, y: long }).train.labels[0]).toHaveLength(200_000);
  });
});
