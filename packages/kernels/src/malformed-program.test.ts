/** Programs that the kernels must refuse. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { availableIsas } from './load.js';
import { record } from './records.js';
import { createTestEngine } from './test-engine.js';
import { writeEverything, writeLinear } from './test-programs.js';

const create = (program: Int32Array, isa: string): unknown => createTestEngine(program, isa);

const BEST = availableIsas()[0] as string;

describe('a malformed program', () => {
  const good = writeEverything();
  const HEADER = 6;
  const withRecord = (kind: number, ...payload: number[]): Int32Array =>
    Int32Array.from([...good, kind, payload.length, ...payload]);
  const withHeader = (at: number, value: number): Int32Array => good.with(at, value);

  it('is one that a good program is not', () => {
    expect(() => create(good, BEST)).not.toThrow();
    expect(() => create(writeLinear(), BEST)).not.toThrow();
  });

  it.each<[string, Int32Array, string]>([
    ['nothing', new Int32Array(0), 'program header is malformed'],
    ['half a header', good.slice(0, 5), 'program header is malformed'],
    ['a wave of no shards', withHeader(0, 0), 'program header is malformed'],
    ['a wave of three shards', withHeader(0, 3), 'program header is malformed'],
    ['shards of no blocks', withHeader(1, 0), 'program header is malformed'],
    ['a negative prefix', withHeader(2, -1), 'program header is malformed'],
    ['leaves beyond the scratch', withHeader(4, 1 << 20), 'program header is malformed'],
    ['negative leaves', withHeader(4, -1), 'program header is malformed'],
    ['no channels', withHeader(5, 0), 'program header is malformed'],
    ['half a record', good.slice(0, -1), 'program record runs out of the program'],
    [
      'a record of negative length',
      Int32Array.from([...good, record.stage, -1]),
      'program record runs out of the program',
    ],
    ['an unknown record', withRecord(99, 0), 'program holds a record of an unknown kind'],
    ['a record that is too short', withRecord(record.stage, 0), 'program record has the wrong length'],
    ['a record that is too long', withRecord(record.stage, 0, 0, 0), 'program record has the wrong length'],
    [
      'an op before the first stage',
      Int32Array.from([1, 1, 0, 0, 0, 1, record.zeroGradient, 2, 0, 16]),
      'program has an op before its first stage',
    ],
    [
      'a convolution of tensor 77',
      withRecord(record.conv, 77, 1, 0, -1, 3, 1, 1, 1, 0),
      'program names a tensor that is not there',
    ],
    [
      'a convolution of tensor -1',
      withRecord(record.conv, -1, 1, 0, -1, 3, 1, 1, 1, 0),
      'program names a tensor that is not there',
    ],
    [
      'a convolution without groups',
      withRecord(record.conv, 0, 1, 0, -1, 3, 1, 1, 0, 0),
      'program has a convolution of an impossible shape',
    ],
    [
      'a convolution of stride 0',
      withRecord(record.conv, 0, 1, 0, -1, 3, 0, 1, 1, 0),
      'program has a convolution of an impossible shape',
    ],
    [
      'groups that do not divide',
      withRecord(record.conv, 1, 0, 0, -1, 3, 1, 1, 2, 0),
      'program has a convolution of an impossible shape',
    ],
    ['a norm of tensor 77', withRecord(record.norm, 77, 0, 1, 0, 0, 0, 0), 'program names a tensor that is not there'],
    ['a pass of norm 5', withRecord(record.normForward, 5), 'program names a norm that is not there'],
    ['a pass of norm -1', withRecord(record.normForward, -1), 'program names a norm that is not there'],
    ['a mask of dropout 5', withRecord(record.dropoutMask, 5), 'program names a dropout that is not there'],
    [
      'a post with norm 5',
      withRecord(record.post, 1, 2, 5, 0, -1, -1, 2, 2, 1),
      'program names a norm that is not there',
    ],
    [
      'a post with dropout 5',
      withRecord(record.post, 1, 2, -1, 0, 5, -1, 2, 2, 1),
      'program names a dropout that is not there',
    ],
    ['the backward of post 9', withRecord(record.postBackward, 9, 2, 1), 'program names a post that is not there'],
    [
      'the backward of the norm of post 9',
      withRecord(record.normBackward, 9, 2, 0),
      'program names a post that is not there',
    ],
    [
      'the gradient of convolution 9',
      withRecord(record.convWeightGradient, 9, 1),
      'program names a convolution that is not there',
    ],
    [
      'the input gradient of convolution -2',
      withRecord(record.convInputGradient, -2, 1, 0),
      'program names a convolution that is not there',
    ],
    [
      'an input gradient into tensor 77',
      withRecord(record.convInputGradient, 0, 1, 77),
      'program names a tensor that is not there',
    ],
    [
      'the gradient of dense layer 9',
      withRecord(record.denseWeightGradient, 9, 4),
      'program names a dense layer that is not there',
    ],
    [
      'the input gradient of dense layer 9',
      withRecord(record.denseInputGradient, 9, 4, 3),
      'program names a dense layer that is not there',
    ],
    [
      'the backward of average pool 9',
      withRecord(record.averagePoolBackward, 9, 3, 2),
      'program names an average pool that is not there',
    ],
    [
      'a bias gradient of tensor 77',
      withRecord(record.convBiasGradient, 77, 0),
      'program names a tensor that is not there',
    ],
    ['a loss of tensor 77', withRecord(record.loss, 77, 0, 0), 'program names a tensor that is not there'],
  ])('of %s is refused', (_, program, text) => {
    for (const isa of availableIsas()) expect(() => create(program, isa)).toThrow(text);
  });

  /** Where records begin, and one past the end. */
  const boundaries = (() => {
    const found = [HEADER];
    for (let at = HEADER; at < good.length; found.push(at)) at += 2 + (good[at + 1] as number);
    return found;
  })();

  it('is refused when it is cut anywhere but between records', () => {
    for (let length = 0; length < good.length; length++) {
      const cut = (): unknown => create(good.slice(0, length), BEST);
      if (boundaries.includes(length)) expect(cut).not.toThrow();
      else expect(cut).toThrow(/program (header is malformed|record)/);
    }
  });

  // The header's sizes are left alone: whatever they are, memory is asked for.
  it('is refused whatever any of its words is changed to, or stays one that can be created', () => {
    const word = fc.integer({ min: HEADER, max: good.length - 1 });
    const small = fc.integer({ min: -2, max: 45 });
    fc.assert(
      fc.property(word, fc.oneof(fc.integer(), small), (at, value) => expectRefusedOrCreated(good.with(at, value))),
      { numRuns: 3000 },
    );
  });

  it('is refused whatever its ids are changed to, or stays one that can be created', () => {
    const ids = boundaries.slice(0, -1).flatMap((at) => idFields(good[at] as number).map((field) => at + 2 + field));
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.oneof(fc.integer(), fc.integer({ min: -2, max: 6 })), (at, value) => {
        expectRefusedOrCreated(good.with(at, value));
      }),
      { numRuns: 1000 },
    );
  });
});

function expectRefusedOrCreated(program: Int32Array): void {
  try {
    expect(create(program, BEST)).toBeDefined();
  } catch (error) {
    expect((error as Error).message).toMatch(/^program /);
  }
}

/** Which words of a record's payload are ids. */
function idFields(kind: number): number[] {
  switch (kind) {
    case record.norm:
    case record.input:
    case record.dropoutMask:
    case record.normForward:
    case record.loss:
    case record.convBiasGradient:
      return [0];
    case record.conv:
    case record.averagePool:
    case record.dense:
    case record.convWeightGradient:
    case record.denseWeightGradient:
      return [0, 1];
    case record.post:
      return [0, 1, 2, 4, 5];
    case record.apply:
    case record.postBackward:
    case record.convInputGradient:
    case record.denseInputGradient:
    case record.averagePoolBackward:
      return [0, 1, 2];
    default:
      return [];
  }
}
