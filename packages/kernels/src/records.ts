/**
 * What an encoded program consists of: a header, then records [kind, payload length, payload...]; floats as their bits.
 *
 * Activations are laid out [shard][block][channel][row][column][16 samples]; all strides are in floats. A tensor may have
 * a border of zeros around each channel, written once when the scratch is made and never after.
 */

/** Samples in a block: the floats of one element. */
export const BLOCK = 16;

/** Random changes to training images; see core/src/spec/recipe.ts. */
export interface ProgramAugmentation {
  readonly rotation: number;
  readonly scale: number;
  readonly shift: number;
  readonly centerCrop?: { readonly size: number; readonly probability: number } | undefined;
}

/** Kinds of record of an encoded program; see packages/kernels/native/program.h. */
export const record = {
  tensor: 1,
  norm: 2,
  dropoutBits: 3,
  rounding: 4,
  stage: 10,
  input: 11,
  dropoutMask: 12,
  conv: 13,
  normForward: 14,
  post: 15,
  averagePool: 16,
  dense: 17,
  loss: 18,
  denseWeightGradient: 19,
  denseInputGradient: 20,
  averagePoolBackward: 21,
  postBackward: 22,
  apply: 23,
  convWeightGradient: 24,
  convInputGradient: 25,
  convBiasGradient: 26,
  zeroGradient: 27,
  normBackward: 40,
} as const;

export type RecordKind = keyof typeof record;

/**
 * The words of a record's payload in their order, by the names that packages/kernels/native/parse.cc reads them under. Of
 * a tensor, norm, ...: its id, counted from 0 in the order in which they are declared, -1 for none; `at`: scratch offset / 16.
 */
export const recordFields = {
  tensor: ['at', 'interior', 'shardStride', 'blockStride', 'channelStride', 'rowStride', 'channels', 'height', 'width'],
  norm: ['y', 'at', 'coefficientStride', 'gamma', 'beta', 'statistics', 'isFrozen'],
  dropoutBits: ['at', 'shardStride', 'blockStride', 'elements', 'threshold', 'keepScale', 'layer'],
  rounding: [],
  stage: ['isWave', 'isBackward'],
  input: ['out', 'rotation', 'zoom', 'move', 'crop', 'cropProbability', 'at'],
  dropoutMask: ['dropout'],
  conv: ['in', 'out', 'weight', 'bias', 'kernel', 'stride', 'padding', 'groups', 'withRelu'],
  normForward: ['norm'],
  // `isOp` is 0 for a post that has only a backward
  post: ['y', 'out', 'norm', 'withRelu', 'dropout1', 'dropout2', 'kernel', 'stride', 'isOp'],
  averagePool: ['in', 'out', 'kernelHeight', 'kernelWidth', 'stride'],
  dense: ['in', 'out', 'weight', 'bias', 'at', 'transposedShardStride', 'pitch'],
  loss: ['logits', 'result', 'smoothing'],
  denseWeightGradient: ['dense', 'dOut'],
  denseInputGradient: ['dense', 'dOut', 'dIn'],
  averagePoolBackward: ['averagePool', 'dOut', 'dIn'],
  postBackward: ['post', 'dOut', 'g'],
  normBackward: ['post', 'dOut', 'masksByRelu'],
  apply: ['y', 'g', 'norm', 'masksByRelu'],
  convWeightGradient: ['conv', 'dOut'],
  convInputGradient: ['conv', 'dOut', 'dIn'],
  convBiasGradient: ['dOut', 'begin'],
  zeroGradient: ['begin', 'end'],
} as const satisfies Record<RecordKind, readonly string[]>;

/** What follows these words as often as the record has it: for each channel, for each span. */
export const repeatedFields = {
  input: ['scale', 'shift'],
  rounding: ['begin', 'end'],
} as const satisfies Partial<Record<RecordKind, readonly string[]>>;

/** A record's words by name; what comes as a float stands as its bits. */
export type RecordWords<K extends RecordKind> = { readonly [name in (typeof recordFields)[K][number]]: number };

/** The words of a payload in the record's order. */
export const listWords = <K extends RecordKind>(kind: K, words: RecordWords<K>): number[] =>
  recordFields[kind].map((name) => words[name as keyof RecordWords<K>]);

/** What follows them, likewise. */
export const listRepeated = <K extends keyof typeof repeatedFields>(
  kind: K,
  entries: readonly { readonly [name in (typeof repeatedFields)[K][number]]: number }[],
): number[] =>
  entries.flatMap((entry) => repeatedFields[kind].map((name) => entry[name as keyof typeof entry] as number));

/** What is done with the records of each kind. */
export type RecordReaders = { readonly [K in RecordKind]?: (words: RecordWords<K>) => void };

/** Hands a record's words, 0 for those it is too short for, to the reader of its kind; false where there is none. */
export function readRecord(readers: RecordReaders, kind: RecordKind, payload: Int32Array): boolean {
  const read = readers[kind] as ((words: Readonly<Record<string, number>>) => void) | undefined;
  read?.(Object.fromEntries(recordFields[kind].map((name, i) => [name, payload[i] ?? 0])));
  return read !== undefined;
}

/** The name of a record's number. */
export const kindOf = (number: number): RecordKind | undefined => kinds.get(number);
const kinds = new Map(Object.entries(record).map(([name, number]) => [number as number, name as RecordKind]));

/** The records of an encoded program, one after the other. */
export function* readRecords(code: Int32Array): Generator<{ number: number; payload: Int32Array }> {
  for (let at = HEADER_FIELDS; at < code.length; ) {
    const length = code[at + 1] as number;
    yield { number: code[at] as number, payload: code.subarray(at + 2, at + 2 + length) };
    at += 2 + length;
  }
}

/** Zeros around a channel: rows above and columns to the left, rows below and columns to the right. */
export interface Border {
  readonly before: number;
  readonly after: number;
}

export const NO_BORDER: Border = { before: 0, after: 0 };

/** A tensor of a program. */
export interface ProgramTensor {
  readonly id: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly border: Border;
  /** Floats in one block, borders included. */
  readonly blockFloats: number;
  /** Scratch offset / 16. */
  readonly at: number;
  readonly isKept: boolean;
}

export interface TensorShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** The words before the first record in their order; `scratchFloats` and `leavesAt` in units of 16. */
export const headerFields = [
  'waveShards',
  'blocksPerShard',
  'prefix',
  'scratchFloats',
  'leavesAt',
  'maxChannels',
] as const;
export const HEADER_FIELDS = headerFields.length;

/** Floats [begin, end) of a contribution that one op writes. */
export interface OutputSpan {
  readonly begin: number;
  readonly end: number;
}
