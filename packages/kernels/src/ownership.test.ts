/** The rules that a program keeps, as the compiler's check and the parser's hold it to them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { availableIsas } from './load.js';
import { checkOwnership } from './ownership.js';
import { HEADER_FIELDS, record } from './records.js';
import { createTestEngine } from './test-engine.js';
import { writeEverything } from './test-programs.js';

type Kind = keyof typeof record;
/** [kind, payload length, payload...] */
type Words = readonly number[];

const good = writeEverything();
const header = [...good.subarray(0, HEADER_FIELDS)];
const records: Words[] = [];
for (let at = HEADER_FIELDS; at < good.length; at += 2 + (good[at + 1] as number)) {
  records.push([...good.subarray(at, at + 2 + (good[at + 1] as number))]);
}

const encode = (list: readonly Words[]): Int32Array => Int32Array.from([...header, ...list.flat()]);
const indexOf = (kind: Kind, which = 0): number =>
  records.flatMap((words, i) => (words[0] === record[kind] ? [i] : []))[which] as number;

const without = (kind: Kind): Int32Array => encode(records.toSpliced(indexOf(kind), 1));
const twice = (kind: Kind): Int32Array => encode(records.toSpliced(indexOf(kind), 0, records[indexOf(kind)] as Words));
/** With field `field` of a record's payload set; tensors are 0 image, 1 y, 2 g, 3 pooled, 4 mean, 5 logits. */
const withField = (kind: Kind, field: number, value: number, which = 0): Int32Array =>
  encode(records.with(indexOf(kind, which), (records[indexOf(kind, which)] as Words).with(2 + field, value)));

const parse = (program: Int32Array, isa: string): unknown => createTestEngine(program, isa);

function isRefused(check: () => void): boolean {
  try {
    check();
    return false;
  } catch {
    return true;
  }
}

const BEST = availableIsas()[0] as string;
const SHARD_STRIDE = 2;
const AT = 0;

describe('a program', () => {
  it('of every kind of record keeps the rules', () => {
    expect(() => checkOwnership(good)).not.toThrow();
    for (const isa of availableIsas()) expect(() => parse(good, isa)).not.toThrow();
  });

  it.each<[string, Int32Array, RegExp, RegExp]>([
    ['reads a value that nobody wrote', without('input'), /conv reads the value of tensor 0/, /reads a value/],
    [
      'reads a gradient that nobody wrote',
      without('apply'),
      /reads the value|nobody has written/,
      /nobody has written/,
    ],
    [
      'reads a value below its gradient',
      withField('convWeightGradient', 1, 0),
      /nobody has written/,
      /nobody has written|fit each other/,
    ],
    ['writes a gradient twice', twice('denseInputGradient'), /over another/, /a gradient over another/],
    ['writes a value twice', twice('averagePool'), /over a value/, /a value over another/],
    [
      'writes floats twice',
      withField('convBiasGradient', 1, 0),
      /another op has written/,
      /range of the contribution twice/,
    ],
    ['writes no range', withField('convBiasGradient', 1, -1), /no range/, /without a range/],
    ['zeroes an empty range', withField('zeroGradient', 1, 48), /no range/, /without a range/],
    [
      'writes the tail in a shard stage',
      withField('convBiasGradient', 1, 112),
      /wrong stage|written/,
      /wrong stage|twice/,
    ],
    ['writes the head in a wave stage', withField('loss', 1, 52), /wrong stage/, /wrong stage/],
    ['shares a tensor in a wave stage', withField('tensor', SHARD_STRIDE, 0, 5), /other shards/, /other shards/],
    ['shares a tensor from stage to stage', withField('tensor', SHARD_STRIDE, 0, 0), /other shards/, /other shards/],
    ['uses a mask that is not made', without('dropoutMask'), /a mask not made yet/, /not worked out/],
    ['uses a norm that is not worked out', without('normForward'), /norm 0 gone nowhere/, /not worked out/],
  ])('that %s is refused when it is written and when it is read', (_, program, writer, parser) => {
    expect(() => checkOwnership(program)).toThrow(writer);
    for (const isa of availableIsas()) expect(() => parse(program, isa)).toThrow(parser);
  });

  it.each<[string, Int32Array, RegExp]>([
    ['has tensors that overlap', withField('tensor', AT, 1, 1), /overlap/],
    ['has a tensor beyond its memory', withField('tensor', AT, 1 << 20), /fit in its memory/],
    ['has a norm beyond its memory', withField('norm', 1, 1 << 20), /fit in its memory/],
    ['has more channels than a tensor has room for', withField('tensor', 6, 3, 1), /fit in its memory/],
    ['has a gradient of another shape', withField('apply', 1, 3), /fit each other|nobody has written/],
    ['has a convolution without its border', withField('conv', 6, 2), /impossible shape/],
  ])('that %s is refused when it is read', (_, program, text) => {
    for (const isa of availableIsas()) expect(() => parse(program, isa)).toThrow(text);
  });

  it('names what it owes and what is nobody’s', () => {
    const spans = [
      ...[0, 18],
      ...[32, 34],
      ...[48, 50],
      ...[64, 66],
      ...[80, 82],
      ...[96, 102],
      ...[112, 118],
      ...[128, 131],
    ];
    const outputs = Array.from({ length: spans.length / 2 }, (_, i) => ({
      begin: spans[2 * i] ?? 0,
      end: spans[2 * i + 1] ?? 0,
    }));
    const all = [...outputs, { begin: 144, end: 146 }];
    expect(() => checkOwnership(good, all)).not.toThrow();
    expect(() => checkOwnership(good, [...all, { begin: 160, end: 170 }])).toThrow(
      'floats 160 to 170 are written by no op',
    );
    expect(() => checkOwnership(good, outputs)).toThrow('floats 144 to 146 are nobody’s'.replace('’', "'"));
  });

  it('that the compiler would refuse is refused by the parser too, whatever ops are dropped, doubled or moved', () => {
    const at = fc.nat(records.length - 1);
    const change = fc.record({ kind: fc.constantFrom('drop', 'double', 'move'), from: at, to: at });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let list: Words[] = records;
        for (const { kind, from, to } of changes) {
          const words = list[from];
          if (!words) continue;
          if (kind !== 'double') list = list.toSpliced(from, 1);
          if (kind !== 'drop') list = list.toSpliced(to, 0, words);
        }
        const program = encode(list);
        if (isRefused(() => checkOwnership(program))) expect(isRefused(() => parse(program, BEST))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
