#!/usr/bin/env bash
# fast-png 8.0.0 cannot decode a valid PNG that is interlaced (Adam7) with 1 bit a pixel: it reads whole bytes a pixel.
# pngjs 7.0.0 decodes the same file to the pixels that were written. Exits non-zero if either changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund fast-png@8.0.0 pngjs@7.0.0
cat >try.mjs <<'JS'
import { deflateSync, crc32 as zlibCrc } from 'node:zlib';
import { decode } from 'fast-png';
import { PNG } from 'pngjs';

const SIDE = 8;
const isLight = (x, y) => (x * y + x) % 3 === 0;
const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

function crc32(bytes) {
  if (zlibCrc) return zlibCrc(bytes);
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

// each pass is an image of its own, its rows packed into bits, filter 0
const rows = [];
for (const [x0, y0, dx, dy] of PASSES) {
  for (let y = y0; y < SIDE; y += dy) {
    const bits = [];
    for (let x = x0; x < SIDE; x += dx) bits.push(isLight(x, y) ? 1 : 0);
    const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
    bits.forEach((bit, i) => (bytes[i >> 3] |= bit << (7 - (i & 7))));
    rows.push(Buffer.from([0]), bytes);
  }
}
const header = Buffer.from([0, 0, 0, SIDE, 0, 0, 0, SIDE, 1, 0, 0, 0, 1]);
const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const file = Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.concat(rows))), chunk('IEND', Buffer.alloc(0))]);

const wanted = Array.from({ length: SIDE * SIDE }, (_, i) => (isLight(i % SIDE, Math.floor(i / SIDE)) ? 1 : 0));
const read = PNG.sync.read(file);
const ofPngjs = Array.from({ length: SIDE * SIDE }, (_, i) => (read.data[4 * i] > 127 ? 1 : 0));
let ofFastPng;
try {
  const { data, depth } = decode(file);
  ofFastPng = `depth ${depth}, ${data.length} bytes for 64 pixels, first row ${[...data.subarray(0, SIDE)].join(' ')}`;
  const isPacked = data.length === SIDE && wanted.every((bit, i) => ((data[i >> 3] >> (7 - (i & 7))) & 1) === bit);
  const isWide = data.length === wanted.length && wanted.every((bit, i) => (data[i] > 0 ? 1 : 0) === bit);
  if (isPacked || isWide) ofFastPng = 'right';
} catch (error) {
  ofFastPng = `an error: ${error.message}`;
}
console.log(`pngjs 7.0.0: ${ofPngjs.join() === wanted.join() ? 'right' : 'wrong'}`);
console.log(`fast-png 8.0.0: ${ofFastPng}`);
process.exit(ofPngjs.join() === wanted.join() && ofFastPng !== 'right' ? 0 : 1);
JS
node try.mjs
