#!/usr/bin/env bash
# tiff 7.1.3 reads a valid RGB TIFF in tiles as other colours, without an error: it takes one value a pixel, not three. A
# file of one bit that leaves BitsPerSample out, since 1 is its default (TIFF 6.0, page 22; Pillow writes such), it refuses.
# utif2 4.1.0 decodes both. Exits non-zero if either changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund tiff@7.1.3 utif2@4.1.0
cat >try.mjs <<'JS'
import { decode } from 'tiff';
import UTIF from 'utif2';

/** Little-endian, plain; fields are [tag, type (3 SHORT, 4 LONG), values], the pixels begin at 8. */
function makeTiff(pixels, fields) {
  const list = 8 + pixels.length;
  const beside = list + 2 + 12 * fields.length + 4;
  const file = Buffer.alloc(beside + 64);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(list, 4);
  Buffer.from(pixels).copy(file, 8);
  file.writeUInt16LE(fields.length, list);
  let free = beside;
  fields.forEach(([tag, type, values], n) => {
    const at = list + 2 + 12 * n;
    const size = type === 3 ? 2 : 4;
    let to = at + 8;
    if (values.length * size > 4) {
      file.writeUInt32LE(free, to);
      to = free;
      free += values.length * size;
    }
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(values.length, at + 4);
    values.forEach((value, i) => (type === 3 ? file.writeUInt16LE(value, to + 2 * i) : file.writeUInt32LE(value, to + 4 * i)));
  });
  return file;
}

const common = (side, photometric) => [
  [256, 3, [side]],
  [257, 3, [side]],
  [259, 3, [1]],
  [262, 3, [photometric]],
];
const byTag = (fields) => fields.sort(([a], [b]) => a - b);
const colours = Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * 7) % 251);
const tiled = makeTiff(
  colours,
  byTag([...common(16, 2), [258, 3, [8, 8, 8]], [277, 3, [3]], [322, 3, [16]], [323, 3, [16]], [324, 4, [8]], [325, 4, [768]]]),
);
const oneBit = makeTiff([0b1010_0000, 0b0100_0000], byTag([...common(2, 1), [273, 4, [8]], [278, 3, [2]], [279, 4, [2]]]));

function utif(file) {
  const whole = new Uint8Array(file).buffer;
  const [picture] = UTIF.decode(whole);
  UTIF.decodeImage(whole, picture);
  return [...UTIF.toRGBA8(picture)].filter((_, i) => i % 4 < 3);
}
const equal = (a, b) => JSON.stringify([...a]) === JSON.stringify([...b]);

const own = decode(tiled)[0].data;
console.log(`tiles: tiff 7.1.3: ${equal(own, colours) ? 'right' : 'other colours'}; utif2: ${equal(utif(tiled), colours) ? 'right' : 'wrong'}`);
let said = 'decoded';
try {
  decode(oneBit);
} catch (error) {
  said = error.message;
}
const bits = [255, 0, 0, 255].flatMap((level) => [level, level, level]);
console.log(`one bit: tiff 7.1.3: ${said}; utif2: ${equal(utif(oneBit), bits) ? 'right' : 'wrong'}`);
const isAsSeen = !equal(own, colours) && said !== 'decoded' && equal(utif(tiled), colours) && equal(utif(oneBit), bits);
process.exit(isAsSeen ? 0 : 1);
JS
node try.mjs
