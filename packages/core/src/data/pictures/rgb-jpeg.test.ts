import jpeg from 'jpeg-js';
import { expect, it } from 'vitest';
import { decodeImage } from './image-file.js';

/** A JPEG of one colour: what jpeg-js encodes, with another marker instead of JFIF's. */
function withMarker(marker: readonly number[] | undefined, names: string | undefined): Uint8Array {
  const data = new Uint8Array(4 * 64).fill(120);
  const bytes = new Uint8Array(jpeg.encode({ width: 8, height: 8, data }, 95).data);
  const rest = bytes.slice(4 + 16);
  if (names !== undefined) {
    for (let at = 0; at < rest.length - 10; at++) {
      if (rest[at] !== 0xff || (rest[at + 1] !== 0xc0 && rest[at + 1] !== 0xda)) continue;
      const [first, step] = rest[at + 1] === 0xc0 ? [10, 3] : [5, 2];
      [...names].forEach((name, c) => {
        rest[at + first + step * c] = name.charCodeAt(0);
      });
      if (rest[at + 1] === 0xda) break;
    }
  }
  return Uint8Array.of(0xff, 0xd8, ...(marker ?? []), ...rest);
}

const adobe = (transform: number): number[] => [
  0xff,
  0xee,
  0,
  14,
  ...Buffer.from('Adobe'),
  0,
  100,
  0,
  0,
  0,
  0,
  transform,
];
/** Grey 120 is stored as Y 120, Cb 128, Cr 128: read as RGB it is these three. */
const ASIDE = [120, 128, 128];

it.each([
  ["Adobe's transform 0", withMarker(adobe(0), undefined), ASIDE],
  ["Adobe's transform 1", withMarker(adobe(1), undefined), [120, 120, 120]],
  ['no marker and the names R, G, B', withMarker(undefined, 'RGB'), ASIDE],
  ['no marker and other names', withMarker(undefined, undefined), [120, 120, 120]],
  ['transform 1 and the names R, G, B', withMarker(adobe(1), 'RGB'), [120, 120, 120]],
])('cases: data 26: a JPEG with %s has the colours that libjpeg reads', (_, bytes, colour) => {
  const { pixels } = decodeImage(bytes, 'x.jpg');
  for (let c = 0; c < 3; c++) expect(Math.abs((pixels[c] as number) - (colour[c] as number))).toBeLessThanOrEqual(2);
});
