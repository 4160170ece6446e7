/** Pictures of several kinds in the folders of classes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textOf } from '../../text/data-report-text.js';
import { encodeBmp, encodeGif, encodeTiff } from '../pictures/formats/test-kinds.js';
import type { PlanarImage } from '../pictures/planar-image.js';
import { DataFolder, makeGrey } from '../test-data-folder.js';
import { makeClassFiles, makePng, writeFiles } from '../test-images.js';

let place: DataFolder;
beforeEach(() => {
  place = new DataFolder();
});
afterEach(() => {
  place.remove();
});

const GREYS = Array.from({ length: 256 }, (_, level) => [level, level, level]).flat();
function encodeGrey({ width, pixels }: PlanarImage, ending: string): Uint8Array {
  const [image, values] = [{ channels: 1, height: pixels.length / width, width, pixels }, [...pixels]];
  const palette = GREYS.flatMap((level, i) => (i % 3 === 2 ? [level, 0] : [level]));
  if (ending === 'bmp') return encodeBmp({ width, depth: 8, values, palette });
  if (ending === 'GIF') return encodeGif({ width, values, palette: GREYS });
  return ending === 'png' ? makePng(image) : encodeTiff({ width, depth: 8, samples: 1, values, colours: 1 });
}

describe('the files of a class', () => {
  it('cases: data 22: of other kinds are counted by ending, and a table beside the classes hides nothing', async () => {
    const files = makeClassFiles(['a', 'b'], 3, makeGrey);
    writeFiles(place.data, { ...files, 'a/1.webp': '', 'b/2.WEBP': '', 'b/3.heic': '', 'b/notes': '' });
    writeFileSync(join(place.data, 'train_labels.csv'), 'id,label\n0001,3\n');
    const dataset = await place.open({ heldOut: 2 });
    expect(dataset.train.count + dataset.test.count).toBe(6);
    expect(dataset.notes?.map(textOf)).toEqual([
      `4 files in the class folders of ${place.data} left out: 2 .webp, 1 .heic, 1 without an ending; PNG, JPEG, BMP, GIF and TIFF images are read, and \`magick mogrify -format png *.webp\` makes such of others`,
      'not read, beside the class folders: train_labels.csv',
    ]);
    expect((await place.open({ heldOut: 2 })).notes?.map(textOf)).toEqual(dataset.notes?.map(textOf));
  });

  it('cases: data 22: may be PNG, BMP, GIF and TIFF beside one another: the same pictures are the same data', async () => {
    writeFiles(place.data, makeClassFiles(['a', 'b'], 4, makeGrey));
    const { checksum } = await place.open({ heldOut: 2 });
    place.data = join(place.folder, 'mixed');
    const endings = ['png', 'bmp', 'GIF', 'tiff'];
    const files = Array.from({ length: 8 }, (_, index) => {
      const ending = endings[index % 4] as string;
      return [`${index < 4 ? 'a' : 'b'}/${index % 4}.${ending}`, encodeGrey(makeGrey(index), ending)] as const;
    });
    writeFiles(place.data, Object.fromEntries(files));
    const dataset = await place.open({ heldOut: 2 });
    expect([dataset.checksum, dataset.notes]).toEqual([checksum, undefined]);
    expect(dataset.reading?.pieces).toEqual([
      { of: '.png files', count: 2 },
      { of: '.bmp files', count: 2 },
      { of: '.gif files', count: 2 },
      { of: '.tiff files', count: 2 },
    ]);
  });

  it('cases: data 22: of several pictures give their first one, which is told', async () => {
    const several = encodeGif({ width: 3, values: [...makeGrey(9).pixels], palette: GREYS, pictures: 2 });
    writeFiles(place.data, { ...makeClassFiles(['a', 'b'], 3, makeGrey), 'a/x.gif': several });
    expect((await place.open({ heldOut: 2 })).notes?.map(textOf)).toEqual([
      '1 training image with several pictures in the file: the first of them is used',
    ]);
  });

  it('cases: data 22: that cannot be read are all named before training, each with its reason', async () => {
    const files = makeClassFiles(['a', 'b'], 3, makeGrey);
    const fax = encodeTiff({ width: 3, depth: 8, samples: 1, values: [1, 2, 3], colours: 1, more: [[259, 4]] });
    writeFiles(place.data, { ...files, 'a/x.tif': fax, 'b/y.bmp': 'BM' });
    await place.expectFailure(
      'LOCKSTEP_DATA_IMAGE: 2 images cannot be read:\n  DIR/a/x.tif is a TIFF image with the compression CCITT group 4, which is not read. Convert it: magick mogrify -format png FILE.\n  DIR/b/y.bmp cannot be decoded: it ends inside its header.',
    );
  });

  it('cases: data 22: of other kinds alone are named', async () => {
    writeFiles(place.data, { ...makeClassFiles(['a'], 3, makeGrey), 'b/1.webp': '', 'b/2.webp': '' });
    await place.expectFailure(
      'LOCKSTEP_DATA_CLASSES: the class folder DIR/b has no PNG, JPEG, BMP, GIF or TIFF images, but 2 .webp.',
    );
  });
});
