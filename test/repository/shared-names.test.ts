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
  HEADER_FIELDS,
  ISAS,
  pieceKind,
  record,
  SQUARES_CHUNK,
  UPDATE_FIELDS,
  updateField,
} from '../../packages/kernels/dist/index.js';
import { optimizerType } from '../../packages/worker/dist/threads/update-table.js';
import { parseEnum } from './native-source.ts';

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
    const [header] = source.split('(Record)header.next()');
    expect(header?.match(/\bheader\.next\(\)/g)).toHaveLength(HEADER_FIELDS);
  });

  it('have the same names of instruction sets', () => {
    const names = [...source.matchAll(/#define LOCKSTEP_ISA_NAME "(\w+)"/g)].map((match) => match[1]);
    expect(names.sort()).toEqual([...ISAS].sort());
  });
});
