/** Every kind of PNG, written here from its values. */
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeImage } from '../image-file.js';

interface Kind {
  /** 0 grey, 2 colours, 3 palette, 4 grey and alpha, 6 colours and alpha. */
  readonly type: 0 | 2 | 3 | 4 | 6;
  readonly depth: number;
}
const SAMPLES = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
const KINDS: readonly Kind[] = [
  ...[1, 2, 4, 8, 16].map((depth) => ({ type: 0, depth }) as const),
  ...[1, 2, 4, 8].map((depth) => ({ type: 3, depth }) as const),
  ...([2, 4, 6] as const).flatMap((type) => [8, 16].map((depth) => ({ type, depth }))),
];
const PASSES = ['00 88', '40 88', '04 48', '20 44', '02 24', '10 22', '01 12'].map((text) =>
  [...text.replace(' ', '')].map(Number),
) as [number, number, number, number][];

const bigEndian = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
function chunk(type: string, body: Iterable<number>): number[] {
  const named = Uint8Array.of(...Buffer.from(type), ...body);
  return [...bigEndian(named.length - 4), ...named, ...bigEndian(crc32(named))];
}

/** The byte to the left, above, or above and to the left that lies nearest to left + above - both. */
function paeth(left: number, above: number, both: number): number {
  const guess = left + above - both;
  const [nearest] = [left, above, both].sort((a, b) => Math.abs(a - guess) - Math.abs(b - guess));
  return nearest as number;
}

/** The values of a line in its bits, with a filter of 0 to 4: none, left, above, their mean, or Paeth's choice. */
function packLine(values: readonly number[], depth: number, step: number, filter: number, above: number[]) {
  const line = new Array<number>(Math.ceil((values.length * depth) / 8)).fill(0);
  for (const [i, value] of values.entries()) {
    if (depth === 16) [line[2 * i], line[2 * i + 1]] = [value >> 8, value & 255];
    else line[(i * depth) >> 3]! |= value << (8 - depth - ((i * depth) & 7));
  }
  const before = (i: number): number => {
    const [left, up, both] = [line[i - step] ?? 0, above[i] ?? 0, above[i - step] ?? 0];
    return [0, left, up, (left + up) >> 1, paeth(left, up, both)][filter] as number;
  };
  return { line, filtered: [filter, ...line.map((byte, i) => (byte - before(i)) & 255)] };
}

function encode(
  width: number,
  values: readonly number[],
  kind: Kind,
  isInterlaced: boolean,
  more: number[],
): Uint8Array {
  const { type, depth } = kind;
  const samples = SAMPLES[type];
  const height = values.length / samples / width;
  const bytes: number[] = [];
  for (const [left, top, across, down] of isInterlaced ? PASSES : [[0, 0, 1, 1] as const]) {
    let above: number[] = [];
    for (let y = top; y < height && left < width; y += down) {
      const row: number[] = [];
      for (let x = left; x < width; x += across) {
        row.push(...values.slice((y * width + x) * samples, (y * width + x + 1) * samples));
      }
      const packed = packLine(row, depth, Math.max(1, (samples * depth) >> 3), (y + row.length) % 5, above);
      bytes.push(...packed.filtered);
      above = packed.line;
    }
  }
  const header = [...bigEndian(width), ...bigEndian(height), depth, type, 0, 0, isInterlaced ? 1 : 0];
  const data = chunk('IDAT', deflateSync(Uint8Array.from(bytes)));
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  return Uint8Array.of(...signature, ...chunk('IHDR', header), ...more, ...data, ...chunk('IEND', []));
}

// fast-png 8 refuses a transparent colour in pictures of one or two pixels
const cases = fc.record({
  kind: fc.constantFrom(...KINDS),
  isInterlaced: fc.boolean(),
  hasClear: fc.boolean(),
  width: fc.integer({ min: 3, max: 13 }),
  height: fc.integer({ min: 1, max: 13 }),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
});

it('cases: data 27: decodes every kind of PNG, interlaced or not, with every filter, a transparent colour or none', () => {
  fc.assert(
    fc.property(cases, ({ kind, isInterlaced, hasClear, width, height, seed }) => {
      const { type, depth } = kind;
      const samples = SAMPLES[type];
      const top = 2 ** depth - 1;
      const values = Array.from({ length: width * height * samples }, (_, i) => ((i + 1) * seed * 7919) % (top + 1));
      const palette = Array.from({ length: 3 * (top + 1) }, (_, i) => (i * 37 + seed) % 256);
      const clear = type === 0 || type === 2 ? values.slice(0, samples) : [0, 128];
      const isClear = hasClear && (type === 0 || type === 2 || type === 3);
      const clearBytes = type === 3 ? clear : clear.flatMap((value) => [value >> 8, value & 255]);
      const more = [...(type === 3 ? chunk('PLTE', palette) : []), ...(isClear ? chunk('tRNS', clearBytes) : [])];
      const to8 = (value: number): number => (depth === 16 ? value >> 8 : (value * 255) / top);
      const pixels = Array.from({ length: width * height }, (_, i) => values.slice(i * samples, (i + 1) * samples));
      const expected = pixels.map((own) => {
        const index = own[0] as number;
        const shown = type === 3 ? palette.slice(3 * index, 3 * index + 3) : own.map(to8);
        if (!isClear) return shown;
        return [...shown, type === 3 ? (clear[index] ?? 255) : own.every((value, c) => value === clear[c]) ? 0 : 255];
      });
      const file = encode(width, values, kind, isInterlaced, more);
      const found = decodeImage(file, 'x.png');
      // grey with a transparent level may come with its grey three times
      const isWide = found.channels === 4 && expected[0]?.length === 2;
      const wanted = isWide ? expected.map(([grey, alpha]) => [grey, grey, grey, alpha]) : expected;
      expect({ ...found, pixels: [...found.pixels] }).toMatchObject({ width, height, pixels: wanted.flat() });
    }),
    { numRuns: 300 },
  );
});

it('names what is wrong with a damaged interlaced PNG', () => {
  const kind = { type: 0, depth: 1 } as const;
  const values = Array.from({ length: 64 }, (_, i) => (i % 3) & 1);
  const file = encode(8, values, kind, true, []);
  const damaged = (at: number): Uint8Array => file.map((byte, i) => (i === at ? byte ^ 1 : byte));
  expect(() => decodeImage(damaged(45), 'x.png')).toThrow('the CRC of IDAT does not match');
  expect(() => decodeImage(file.subarray(0, file.length - 12), 'x.png')).toThrow('it ends before its last chunk');
});
