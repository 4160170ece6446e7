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

/** Words before the first record: shards of a wave, blocks of a shard, prefix, scratch / 16, leaves / 16, most channels. */
export const HEADER_FIELDS = 6;

/** Floats [begin, end) of a contribution that one op writes. */
export interface OutputSpan {
  readonly begin: number;
  readonly end: number;
}
