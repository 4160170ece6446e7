import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type Tensor } from './safetensors.js';

const join = (parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** A file with the header given as it is, and data of some length. */
function build(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

const float = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('encodeSafetensors', () => {
  it('writes length, header padded with spaces to 8 bytes, and bytes', () => {
    const tensor = { name: 'a', dtype: 'F32', shape: [1], bytes: Uint8Array.of(0, 0, 0x80, 0x3f) };
    const file = Buffer.from(join(encodeSafetensors({ tensors: [tensor], metadata: { format: 'pt' } })));
    const header = '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    expect(header.length).toBe(85);
    expect(file.subarray(0, 8).toString('hex')).toBe('5800000000000000');
    expect(file.subarray(8, 96).toString()).toBe(`${header}   `);
    expect(file.subarray(96).toString('hex')).toBe('0000803f');
  });

  it('is undone by decodeSafetensors', () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    const tensors = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, unit: 'grapheme' }), bytes), {
      selector: ([name]) => name,
    });
    fc.assert(
      fc.property(tensors, fc.dictionary(fc.string(), fc.string()), (entries, metadata) => {
        fc.pre(entries.every(([name]) => name !== '__metadata__' && name !== '__proto__'));
        const written: Tensor[] = entries.map(([name, bytes]) => ({ name, dtype: 'U8', shape: [bytes.length], bytes }));
        const read = decodeSafetensors(join(encodeSafetensors({ tensors: written, metadata })), 'a file');
        const byName = (a: Tensor, b: Tensor): number => (a.name < b.name ? -1 : 1);
        expect([...read.tensors].sort(byName)).toEqual(written.sort(byName));
        expect(Object.entries(read.metadata)).toEqual(Object.entries(metadata));
      }),
    );
  });
});

describe('decodeSafetensors', () => {
  const huge = build({}, 0);
  new DataView(huge.buffer).setBigUint64(0, 2n ** 40n, true);
  const endless = build({}, 0);
  new DataView(endless.buffer).setBigUint64(0, 500n, true);

  const cases: [string, Uint8Array, string][] = [
    ['an empty file', new Uint8Array(0), "it has 0 bytes, the header's length alone takes 8"],
    ['a file of 7 bytes', new Uint8Array(7), "it has 7 bytes, the header's length alone takes 8"],
    ['a huge header', huge, 'its header claims 1099511627776 bytes, more than the limit of 100000000'],
    ['a truncated header', endless, 'its header claims 500 bytes, 2 are there (is the file truncated?)'],
    [
      'a header that is not JSON',
      build('{"a" 1}', 0),
      'its header is not JSON: line 1, column 6: expected ":" but found "1"',
    ],
    ['a header that is a list', build([], 0), 'its header is not an object'],
    ['metadata that are not strings', build({ __metadata__: { a: 1 } }, 0), '__metadata__ must map strings to strings'],
    [
      'a tensor without dtype',
      build({ a: { shape: [], data_offsets: [0, 4] } }, 4),
      'tensor a: dtype: Invalid input: expected string, received undefined',
    ],
    ['a negative side', build({ a: float(0, 4, [-1]) }, 4), 'tensor a: shape.0: Too small: expected number to be >=0'],
    ['an unknown dtype', build({ a: float(0, 4, [1], 'C64') }, 4), 'tensor a: unknown dtype C64'],
    [
      'the name of a method for a dtype',
      build({ a: float(0, 4, [1], 'toString') }, 4),
      'tensor a: unknown dtype toString',
    ],
    ['offsets that run backwards', build({ a: float(4, 0, [1]) }, 4), 'tensor a: data_offsets [4, 0] run backwards'],
    [
      'offsets past the end of the file',
      build({ a: float(0, 8) }, 7),
      'tensor a: ends at byte 8 of the data, which has 7 (is the file truncated?)',
    ],
    [
      'a shape that does not fit its offsets',
      build({ a: float(0, 8, [3]) }, 8),
      'tensor a: F32 of shape [3] takes 12 bytes, its data_offsets span 8',
    ],
    [
      'tensors that overlap',
      build({ a: float(0, 8), b: float(4, 12) }, 12),
      'tensor b starts at byte 4, inside tensor a, which ends at 8',
    ],
    [
      'a gap between tensors',
      build({ b: float(8, 12), a: float(0, 4) }, 12),
      'bytes 4 to 8 between tensor a and tensor b belong to no tensor',
    ],
    [
      'a gap before the first tensor',
      build({ a: float(4, 8) }, 8),
      'bytes 0 to 4 between the header and tensor a belong to no tensor',
    ],
    ['bytes after the last tensor', build({ a: float(0, 4) }, 6), '2 bytes after tensor a belong to no tensor'],
  ];
  it.each(cases)('refuses %s', (_, file, text) => {
    expect(() => decodeSafetensors(file, 'w.safetensors')).toThrow(
      expect.objectContaining({
        code: 'LOCKSTEP_WEIGHTS_FORMAT',
        text: `w.safetensors is not a safetensors file: ${text}.`,
      }),
    );
  });

  it('refuses a header that is not UTF-8', () => {
    const file = build('{"?":1}', 0);
    file[10] = 0xff;
    expect(() => decodeSafetensors(file, 'w')).toThrow('its header is not UTF-8');
  });

  it('refuses every file that lost its last byte', () => {
    const file = build({ a: float(0, 4), b: float(4, 12) }, 12);
    expect(decodeSafetensors(file, 'w').tensors).toHaveLength(2);
    for (let length = 0; length < file.length; length++) {
      expect(() => decodeSafetensors(file.subarray(0, length), 'w')).toThrow(/LOCKSTEP_WEIGHTS_FORMAT/);
    }
  });

  it('reads a file that lies somewhere inside a larger buffer, tensors in the order of their offsets', () => {
    const file = build({ b: float(4, 8), a: float(0, 4) }, 8);
    file.set([1, 2, 3, 4, 5, 6, 7, 8], file.length - 8);
    const larger = new Uint8Array(file.length + 3);
    larger.set(file, 3);
    const { tensors } = decodeSafetensors(larger.subarray(3), 'w');
    expect(tensors.map(({ name, bytes }) => [name, ...bytes])).toEqual([
      ['a', 1, 2, 3, 4],
      ['b', 5, 6, 7, 8],
    ]);
  });
});
