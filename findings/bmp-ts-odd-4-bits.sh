#!/usr/bin/env bash
# bmp-ts 1.0.9 reads of a valid BMP of 4 bits a pixel and an odd width the first row of the file alone; the others are
# black, without an error. bmp-js 0.1.0 reads all of it. Exits non-zero if either changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund bmp-ts@1.0.9 bmp-js@0.1.0
cat >try.mjs <<'JS'
import bmpJs from 'bmp-js';
import * as bmpTs from 'bmp-ts';

/** 4 bits a pixel, all of them of colour 1, which is (10, 20, 30). */
function makeBmp(width, height) {
  const stride = Math.ceil(width / 8) * 4;
  const file = Buffer.alloc(14 + 40 + 64 + stride * height);
  file.write('BM', 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(118, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(4, 28);
  Buffer.from([30, 20, 10, 0]).copy(file, 54 + 4);
  file.fill(0x11, 118);
  return file;
}
// bytes of a pixel: alpha, blue, green, red
const countRead = ({ data }) => data.filter((value, i) => i % 4 === 3 && value === 10).length;

let isAsSeen = true;
for (const width of [4, 3]) {
  const file = makeBmp(width, 5);
  const [ts, js] = [countRead(bmpTs.decode(file)), countRead(bmpJs.decode(file))];
  console.log(`${width}x5 pixels of one colour: bmp-ts 1.0.9 reads ${ts} of ${5 * width}, bmp-js 0.1.0 ${js}`);
  isAsSeen &&= ts === (width === 4 ? 20 : 3) && js === 5 * width;
}
process.exit(isAsSeen ? 0 : 1);
JS
node try.mjs
