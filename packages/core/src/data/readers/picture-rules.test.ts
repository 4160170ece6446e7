import { encode } from 'fast-png';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textOf } from '../../text/data-report-text.js';
import { fitImage } from '../photos/foreign-image.js';
import { makePhoto } from '../pictures/formats/test-photo.js';
import { decodeImage } from '../pictures/image-file.js';
import { describeData } from '../pixels/data-notes.js';
import { DataFolder, makeGrey } from '../test-data-folder.js';
import { makeClassFiles, makePlain, makePng, writeFiles } from '../test-images.js';

let place: DataFolder;
beforeEach(() => {
  place = new DataFolder();
});
afterEach(() => {
  place.remove();
});

const SIDE = 4;
/** A drawing of one level, a stroke more opaque with each image, on nothing. */
const drawOnNothing = (level: number, n: number): Uint8Array => {
  const data = Uint8Array.from({ length: 2 * SIDE * SIDE }, (_, i) => (i % 2 === 0 ? level : i === 11 ? 100 + n : 0));
  return encode({ width: SIDE, height: SIDE, channels: 2, depth: 8, data });
};
const sixteenBits = (scale: number, n: number): Uint8Array => {
  const data = Uint16Array.from({ length: SIDE * SIDE }, (_, i) => ((i * 3 + n) % 16) * scale);
  return encode({ width: SIDE, height: SIDE, channels: 1, depth: 16, data });
};
const classesOf = (make: (n: number) => Uint8Array, folders = ['a', 'b']): Record<string, Uint8Array> =>
  Object.fromEntries(folders.flatMap((folder, f) => [0, 1, 2].map((n) => [`${folder}/${n}.png`, make(3 * f + n)])));

it('cases: data 28: photos of a turned phone are turned upright in training, and told', async () => {
  const upright = classesOf(() => makePhoto(1, true));
  writeFiles(place.data, { ...upright, 'b/2.png': makePhoto(3, true) });
  const dataset = await place.open({ heldOut: 2 });
  expect(dataset.notes?.map(textOf)).toContain(
    '1 training image turned upright, as the EXIF orientation in the file says',
  );
});

describe('transparent pictures', () => {
  it.each([
    ['white', 255, 'black', 0],
    ['black', 0, 'white', 255],
  ])('cases: data 19: of %s drawings lie on the other side, in predict too', async (_, level, ground, under) => {
    writeFiles(
      place.data,
      classesOf((n) => drawOnNothing(level, n)),
    );
    const dataset = await place.open({ heldOut: 2 });
    expect(dataset.notes?.map(textOf)).toEqual([
      `6 training images with transparent parts: these were laid on ${ground}`,
    ]);
    expect([dataset.train.images[0], new Set(dataset.train.images).size > 1]).toEqual([under, true]);
    const notes = describeData(dataset);
    expect(notes.pictures).toEqual({ under });
    expect(await place.open({ heldOut: 2 })).toEqual(dataset);
    const bytes = drawOnNothing(level, 0);
    const { image } = fitImage(decodeImage(bytes, 'x.png'), { channels: 1, height: SIDE, width: SIDE }, notes);
    expect([image?.pixels[0], image?.pixels[5]]).toEqual([under, Math.abs(under - 100)]);
  });

  it('lie on what the training pictures lay on, whatever the test part would choose', async () => {
    const train = classesOf((n) => drawOnNothing(255, n), ['train/a', 'train/b']);
    const test = classesOf((n) => drawOnNothing(0, n), ['test/a', 'test/b']);
    writeFiles(place.data, { ...train, ...test });
    expect((await place.open()).test.images[0]).toBe(0);
    expect((await place.open({ pictures: { under: 255 } })).train.images[0]).toBe(255);
  });
});

describe('pictures of 16 bits', () => {
  it('cases: data 20: are scaled by the largest value of the training part', async () => {
    const train = classesOf((n) => sixteenBits(15, n), ['train/a', 'train/b']);
    const test = classesOf((n) => sixteenBits(30, n), ['test/a', 'test/b']);
    writeFiles(place.data, { ...train, ...test });
    const dataset = await place.open();
    expect(dataset.notes?.map(textOf)).toEqual([
      '6 training images of 16 bits: 225, their largest value, is taken for white',
    ]);
    expect(describeData(dataset).pictures).toEqual({ white16: 225 });
    expect(new Set(dataset.train.images)).toEqual(new Set(Array.from({ length: 16 }, (_, i) => i * 17)));
    expect(new Set(dataset.test.images)).toEqual(new Set(Array.from({ length: 16 }, (_, i) => Math.min(255, i * 34))));
  });

  it.each([
    [32_760, 32_760],
    [65_520, 65_535],
  ])('up to %i have %i for white', async (largest, white16) => {
    writeFiles(
      place.data,
      classesOf((n) => sixteenBits(largest / 15, n)),
    );
    const dataset = await place.open();
    expect([Math.max(...dataset.train.images), dataset.pictures]).toEqual([255, { white16 }]);
  });
});

describe('bad and blank pictures', () => {
  it('cases: data 30: all bad files are named', async () => {
    writeFiles(place.data, makeClassFiles(['a', 'b'], 5, makeGrey));
    writeFiles(place.data, { 'a/1.png': makePng(makeGrey(0)).subarray(0, 40), 'b/3.png': 'RIFF....WEBP' });
    const failure = await place.open().then(undefined, (error) => error);
    expect(failure).toMatchObject({ code: 'LOCKSTEP_DATA_IMAGE' });
    expect(failure.text).toContain('2 images cannot be read:');
    for (const name of ['a/1.png cannot be decoded', 'b/3.png is a WebP image']) expect(failure.text).toContain(name);
  });

  it('cases: data 21: blank and equal pictures are counted', async () => {
    writeFiles(
      place.data,
      makeClassFiles(['a', 'b'], 5, () => makePlain(9, 4, 4)),
    );
    expect((await place.open({ heldOut: 2 })).notes?.map(textOf)).toEqual([
      '10 of 10 images are blank: all pixels of an image are equal',
      'all 8 training images are the same',
    ]);
    writeFiles(place.data, makeClassFiles(['a', 'b'], 5, makeGrey));
    expect((await place.open({ heldOut: 2 })).notes).toBeUndefined();
  });
});
