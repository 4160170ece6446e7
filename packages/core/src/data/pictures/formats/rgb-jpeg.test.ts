import jpeg from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../image-file.js';

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

/** 8x8 of the inks 10, 20, 30, 40 of 255, as Pillow writes them: with Adobe's marker, what they leave of the light. */
const CMYK =
  '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoKCgYICwwLCgwJCgoK/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD91K/ayv2Er9XK/9k=';
const cmyk = (transform: number): Uint8Array => {
  const bytes = Buffer.from(CMYK, 'base64');
  bytes[bytes.indexOf('Adobe') + 11] = transform;
  return bytes;
};

describe('cases: data 22: a JPEG in CMYK', () => {
  it.each([
    ['its four inks', 0, [207, 198, 190]],
    ['brightness, two colours and black', 2, [0, 98, 0]],
  ])('that holds %s has the colours that Pillow reads, and says what it was', (_, transform, colour) => {
    const { channels, pixels, isCmyk } = decodeImage(cmyk(transform), 'x.jpg');
    expect([channels, isCmyk]).toEqual([3, true]);
    for (let c = 0; c < 3; c++) expect(Math.abs((pixels[c] as number) - (colour[c] as number))).toBeLessThanOrEqual(1);
  });

  it("without Adobe's marker is refused, since it may be inverted or not", () => {
    const bytes = Uint8Array.of(0xff, 0xd8, ...cmyk(0).subarray(18));
    expect(() => decodeImage(bytes, 'x.jpg')).toThrow(
      "LOCKSTEP_DATA_IMAGE: x.jpg is a JPEG image in CMYK without Adobe's marker, and so may be stored inverted or not, which is not read. Convert it: magick mogrify -format png FILE.",
    );
  });
});
