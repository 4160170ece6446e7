/** What comes of files in which a few bytes are wrong, or that are cut short. */
import fc from 'fast-check';
import jpeg from 'jpeg-js';
import { expect, it } from 'vitest';
import { LockstepError } from '../../../errors/errors.js';
import { makeImage, makePng } from '../../test-images.js';
import { decodeImage } from '../image-file.js';
import { encodeBmp, encodeGif, encodeTiff } from './test-kinds.js';

const values = Array.from({ length: 12 * 9 }, (_, i) => (i * 7) % 4);
const palette = Array.from({ length: 16 }, (_, i) => (i * 15) % 256);
const grey = { width: 12, depth: 8, samples: 1, values, colours: 1 } as const;
const files: Readonly<Record<string, Uint8Array>> = {
  png: makePng(makeImage(3, 9, 12)),
  jpeg: new Uint8Array(jpeg.encode({ width: 12, height: 9, data: new Uint8Array(4 * 108).fill(90) }, 90).data),
  bmp: encodeBmp({ width: 12, depth: 8, values, palette }),
  'bmp in runs': encodeBmp({
    width: 12,
    depth: 8,
    values,
    palette,
    packed: [1, [12, 1, 0, 0, 0, 3, 1, 2, 3, 0, 0, 1]],
  }),
  gif: encodeGif({ width: 12, values, palette: palette.slice(0, 12), clear: 1, isInterlaced: true, pictures: 2 }),
  tiff: encodeTiff({ ...grey, piece: 4, compression: 5 }),
  'tiff in tiles': encodeTiff({ ...grey, piece: [16, 16], compression: 32_773, isDifference: true, pictures: 2 }),
};

it.each(Object.keys(files))('issue 23: a damaged %s gives pixels or an error that names it, nothing else', (kind) => {
  const whole = files[kind] as Uint8Array;
  const place = fc.nat({ max: whole.length - 1 });
  const damage = fc.record({
    bytes: fc.array(fc.tuple(place, fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }),
    end: fc.oneof(fc.constant(whole.length), place),
  });
  fc.assert(
    fc.property(damage, ({ bytes, end }) => {
      const file = whole.slice();
      for (const [at, value] of bytes) file[at] = value;
      try {
        const { width, height, channels, pixels } = decodeImage(file.subarray(0, end), 'x');
        expect(pixels.length).toBe(width * height * channels);
      } catch (error) {
        expect(error).toBeInstanceOf(LockstepError);
        expect(error).toMatchObject({ code: 'LOCKSTEP_DATA_IMAGE', text: expect.stringMatching(/^x (is|cannot be) /) });
      }
    }),
    { numRuns: 40 },
  );
});
