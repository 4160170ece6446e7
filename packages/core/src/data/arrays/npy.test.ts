import { describe, expect, it } from 'vitest';
import { parseNpy } from './npy.js';
import { bytesOf, makeNpy } from './test-arrays.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('parseNpy', () => {
  it.each<[string, Uint8Array, unknown[]]>([
    ['|u1', bytes(1, 255), [1, 255]],
    ['|i1', bytes(1, 255), [1, -1]],
    ['<u2', bytes(1, 2, 0, 3), [513, 768]],
    ['>u2', bytes(1, 2, 0, 3), [258, 3]],
    ['<i4', bytesOf(Int32Array.of(-5, 70_000)), [-5, 70_000]],
    ['>i4', bytes(0, 0, 1, 0, 255, 255, 255, 255), [256, -1]],
    ['<f4', bytesOf(Float32Array.of(0.5, -2)), [0.5, -2]],
    ['<f8', bytesOf(Float64Array.of(0.1, 1e300)), [0.1, 1e300]],
    ['>f8', bytes(0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0), [1, 2]],
    ['<i8', bytesOf(BigInt64Array.of(-1n, 9n)), [-1, 9]],
    ['<u8', bytesOf(BigUint64Array.of(1n, 9n)), [1, 9]],
    ['|b1', bytes(0, 1), [0, 1]],
    ['<U2', bytesOf(Uint32Array.of(97, 98, 0x1f600, 0)), ['ab', '😀']],
    ['>U1', bytes(0, 0, 0, 97, 0, 0, 4, 49), ['a', 'б']],
    ['|S3', bytes(97, 98, 0, 0xd0, 0xb1, 0), ['ab', 'б']],
    ['|S1', bytes(0xe9, 55), ['é', '7']],
  ])('reads %s', (type, data, values) => {
    const array = parseNpy(makeNpy(type, [2], data), 'a');
    expect([array.shape, [...array.values]]).toEqual([[2], values]);
    // as files are read: a Buffer, at any place of its memory
    const inFile = Buffer.concat([Buffer.from('-'), makeNpy(type, [2], data)]).subarray(1);
    expect([...parseNpy(inFile, 'a').values]).toEqual(values);
  });

  it('cases: data 14: reads float16: normal, tiny, negative, and what is no number', () => {
    const halves = Uint16Array.of(0x3c00, 0x3800, 0x0001, 0xbc00, 0x7bff, 0x7c00, 0x7e00, 0);
    const { values } = parseNpy(makeNpy('<f2', [8], bytesOf(halves)), 'a');
    expect([...values]).toEqual([1, 0.5, 2 ** -24, -1, 65_504, Number.POSITIVE_INFINITY, Number.NaN, 0]);
  });

  it.each([
    [
      [2, 3],
      [0, 2, 4, 1, 3, 5],
    ],
    [
      [2, 2, 2],
      [0, 4, 2, 6, 1, 5, 3, 7],
    ],
    [
      [3, 1],
      [0, 1, 2],
    ],
  ])('reads what lies column by column row by row: %j', (shape, values) => {
    const data = Uint8Array.from(values, (_, i) => i);
    expect([...parseNpy(makeNpy('|u1', shape, data, 'True'), 'a').values]).toEqual(values);
  });

  it.each([
    ['not an array', bytes(1, 2, 3), 'a is not a NumPy array. Save it with numpy.savez.'],
    ['Python objects', makeNpy('|O', [2], bytes(0, 0)), 'a is of type |O, expected numbers, not Python objects.'],
    ['complex numbers', makeNpy('<c8', [1], new Uint8Array(8)), 'a is of type <c8, expected numbers.'],
    ['floats of 16 bytes', makeNpy('<f16', [1], new Uint8Array(16)), 'a is of type <f16, expected numbers.'],
    [
      'too few bytes',
      makeNpy('<f4', [3], new Uint8Array(8)),
      'a has 8 bytes of data, <f4 of shape (3) takes 12. The file is damaged.',
    ],
  ])('refuses %s', (_, file, text) => {
    expect(() => parseNpy(file, 'a')).toThrow(expect.objectContaining({ code: 'LOCKSTEP_DATA_NPZ', text }));
  });

  it('refuses an array with fields, and says what to do', () => {
    const plain = Buffer.from(makeNpy('|u1', [1], bytes(1))).toString('latin1');
    const fields = plain.replace(/'\|u1', 'fortran_order': False/, "[('a', '|u1')], 'fortran_order': False");
    expect(() => parseNpy(Buffer.from(fields, 'latin1'), 'a')).toThrow('a has fields. Save each of them as an array');
  });
});
