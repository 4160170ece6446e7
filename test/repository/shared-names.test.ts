/** What the kernels in C++ and their callers in TypeScript both have written down: numbers that one side writes and the other reads. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { purposes } from '../../packages/core/dist/math/index.js';
import { ALIGNMENT, foldStep } from '../../packages/core/dist/run/index.js';
import { BLOCK_SAMPLES } from '../../packages/core/dist/spec/index.js';
import {
  AVERAGE_FIELDS,
  algorithms,
  averageField,
  BLOCK,
  CALL_FIELDS,
  callField,
  contributePart,
  headerFields,
  ISAS,
  pieceKind,
  record,
  recordFields,
  repeatedFields,
  SQUARES_CHUNK,
  UPDATE_FIELDS,
  updateField,
} from '../../packages/kernels/dist/index.js';
import { optimizerType } from '../../packages/worker/dist/plan/update-table.js';
import { parseEnum, parseHeader, parseRecords } from './native-source.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../packages/kernels/native');
const source = readdirSync(FOLDER)
  .filter((name) => /\.(h|cc)$/.test(name))
  .map((name) => readFileSync(path.join(FOLDER, name), 'utf8'))
  .join('\n');

const constant = (name: string): number =>
  Number(new RegExp(`constexpr int ${name} = (\\d+);`).exec(source)?.[1] ?? Number.NaN);

describe('parseEnum', () => {
  it('counts on from the last value that is written, and drops prefixes and comments', () => {
    const text = 'enum Letter : int32_t {\n  L_A,\n  L_TWO_WORDS = 5,  // = 7\n  L_C, LETTERS\n};';
    expect(parseEnum(text, 'Letter', 'L_')).toEqual({ a: 0, twoWords: 5, c: 6, letters: 7 });
  });

  it('says which enum is not there', () => {
    expect(() => parseEnum('', 'Letter')).toThrow('there is no enum Letter');
  });
});

describe('parseRecords', () => {
  const text = (reads: string) => `switch (record) { case A_KIND: { ${reads} break; }\ndefault: return fail`;

  it.each([
    ['x.first = r.next(), x.second = r.nextFloat();', ['first', 'second']],
    ['x.second = r.nextFloat(), x.first = r.next();', ['second', 'first']],
    ['const int64_t at = (int64_t)r.next() * BLOCK, size = r.next();  // not r.next()', ['at', 'size']],
    ['x.in = tensor(), x.norm = norm(), x.isIt = r.next() != 0;', ['in', 'norm', 'isIt']],
    ['op.index = convId(), op.a = tensorId(), op.b = tensorId();', ['conv', 'dOut', 'dIn']],
    ['op.index = idOf(p->posts_.size(), "text");', ['post']],
    ['const bool first = r.next() != 0; push({first, r.next() != 0});', ['first', '']],
  ])('finds in %j the words %j', (reads, fields) => {
    expect(parseRecords(text(reads))).toEqual({ aKind: { fields, repeated: [] } });
  });

  it('finds words that come again and again', () => {
    const reads =
      'x.out = tensor(); while (r.at < r.end) { x.scale.push_back(r.nextFloat()); x.shift.push_back(r.nextFloat()); }';
    expect(parseRecords(text(reads))).toEqual({ aKind: { fields: ['out'], repeated: ['scale', 'shift'] } });
  });
});

/** What both sides have written down of records; a word that C++ hands on at once, without a name, must be the last. */
function compareRecords(native: string): void {
  const read = parseRecords(native);
  expect(Object.keys(read).sort()).toEqual(Object.keys(record).sort());
  const nameLast = (names: string[], ours: readonly string[]) =>
    names.map((name, i) => (name === '' && i === ours.length - 1 ? ours[i] : name));
  for (const [kind, ours] of Object.entries<readonly string[]>(recordFields)) {
    const again: readonly string[] = kind in repeatedFields ? repeatedFields[kind as keyof typeof repeatedFields] : [];
    const { fields = [], repeated = [] } = read[kind] ?? {};
    expect([kind, nameLast(fields, ours), nameLast(repeated, again)]).toEqual([kind, ours, again]);
  }
}

describe('C++ and TypeScript', () => {
  it.each([
    ['Record', '', record],
    ['Call', '', { ...callField, callFields: CALL_FIELDS }],
    ['Update', 'U_', { ...updateField, updateFields: UPDATE_FIELDS }],
    ['Average', 'A_', { ...averageField, averageFields: AVERAGE_FIELDS }],
    ['Part', '', contributePart],
    ['Piece', '', pieceKind],
    ['FoldStep', 'FOLD_', foldStep],
    ['OptimizerType', '', optimizerType],
    ['Algorithm', '', Object.fromEntries(algorithms.map((name, index) => [name, index]))],
  ])('have the same numbers for the enum %s', (name, prefix, ours) => {
    expect(parseEnum(source, name, prefix)).toEqual(ours);
  });

  it('have the same purposes of random numbers that kernels draw', () => {
    expect(purposes).toMatchObject(parseEnum(source, 'Purpose'));
  });

  it('have the same sizes', () => {
    expect([constant('BLOCK'), BLOCK, ALIGNMENT, BLOCK_SAMPLES]).toEqual([16, 16, 16, 16]);
    expect(constant('SQUARES_CHUNK')).toBe(SQUARES_CHUNK);
  });

  it('issue 22: have the same words in the same order in the header and in every record of a program', () => {
    expect(parseHeader(source)).toEqual(headerFields);
    compareRecords(source);
  });

  it.each([
    ['t.channelStride = r.next(), t.rowStride = r.next()', 't.rowStride = r.next(), t.channelStride = r.next()'],
    ['kernel = r.next(), stride = r.next()', 'stride = r.next(), kernel = r.next()'],
    ['l.logits = tensor(), l.result = r.next()', 'l.result = r.next(), l.logits = tensor()'],
    ['op.a = tensorId(), op.b = tensorId()', 'op.b = tensorId(), op.a = tensorId()'],
    ['a.g = tensor(), a.norm = norm()', 'a.norm = norm(), a.g = tensor()'],
    ['in.scale.push_back(r.nextFloat());', ''],
  ])('issue 22: are told apart when C++ has %j changed to %j', (from, to) => {
    expect(source).toContain(from);
    expect(() => compareRecords(source.replace(from, to))).toThrow('to deeply equal');
  });

  it('have the same names of instruction sets', () => {
    const names = [...source.matchAll(/#define LOCKSTEP_ISA_NAME "([\w-]+)"/g)].map((match) => match[1]);
    expect(names.sort()).toEqual([...ISAS].sort());
  });
});
