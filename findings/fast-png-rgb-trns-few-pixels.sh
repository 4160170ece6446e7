#!/usr/bin/env bash
# fast-png 8.0.0 refuses a valid RGB PNG of one or two pixels that names a transparent colour (tRNS): it takes the colour's
# three samples for the alphas of pixels. pngjs 7.0.0 decodes the same file. Exits non-zero if either changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund fast-png@8.0.0 pngjs@7.0.0
cat >try.mjs <<'JS'
import { deflateSync } from 'node:zlib';
import { decode } from 'fast-png';
import { PNG } from 'pngjs';

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

// RGB, 8 bits, one row; the colour (10, 20, 30) is transparent
function makePng(width) {
  const header = Buffer.from([0, 0, 0, width, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
  const row = Buffer.from([0, ...Array.from({ length: width }, (_, x) => (x === 0 ? [10, 20, 30] : [200, 100, x])).flat()]);
  const transparent = Buffer.from([0, 10, 0, 20, 0, 30]);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = [['IHDR', header], ['tRNS', transparent], ['IDAT', deflateSync(row)], ['IEND', Buffer.alloc(0)]];
  return Buffer.concat([signature, ...chunks.map(([type, data]) => chunk(type, data))]);
}

let isAsSeen = true;
for (const width of [1, 2, 3]) {
  const file = makePng(width);
  const alphas = [...PNG.sync.read(file).data].filter((_, i) => i % 4 === 3);
  const isRight = alphas.every((alpha, x) => alpha === (x === 0 ? 0 : 255));
  let said = 'decoded';
  try {
    decode(file);
  } catch (error) {
    said = `an error: ${error.message}`;
  }
  console.log(`${width} pixels: pngjs 7.0.0: ${isRight ? 'right' : 'wrong'}; fast-png 8.0.0: ${said}`);
  isAsSeen &&= isRight && (said === 'decoded') === width > 2;
}
process.exit(isAsSeen ? 0 : 1);
JS
node try.mjs
