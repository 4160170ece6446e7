/** Writes programs: flat lists of kernel calls over one scratch memory, run by packages/kernels/native/program.cc. */
import { checkOwnership } from './ownership.js';
import {
  BLOCK,
  type Border,
  NO_BORDER,
  type OutputSpan,
  type ProgramAugmentation,
  type ProgramTensor,
  record,
  type TensorShape,
} from './records.js';

export interface PostOptions {
  readonly y: ProgramTensor;
  /** Equal to y for a post that has only a backward. */
  readonly out: ProgramTensor;
  readonly norm: number;
  readonly withRelu: boolean;
  readonly dropout1: number;
  readonly dropout2: number;
  readonly kernel: number;
  readonly stride: number;
}

const floatBits = new DataView(new ArrayBuffer(4));
function bitsOf(value: number): number {
  floatBits.setFloat32(0, value);
  return floatBits.getInt32(0);
}

const units = (floats: number): number => Math.ceil(floats / BLOCK);

/** Pixels of a channel with its border, padded so that channels do not all start in the same cache sets. */
function channelPixels(height: number, width: number, { before, after }: Border): number {
  let pixels = (before + height + after) * (before + width + after);
  if (pixels === 1) return 1;
  while (pixels % 64 < 3 || pixels % 64 > 61) pixels++;
  return pixels;
}

/** Writes one program. Ids of what it declares are handed out in order. */
export class ProgramBuilder {
  readonly #code: number[] = [];
  #units = 0;
  #tensors = 0;
  #norms = 0;
  #dropouts = 0;
  #convs = 0;
  #posts = 0;
  #pools = 0;
  #denses = 0;
  #maxChannels = 1;

  /**
   * @param waveShards shards that a wave stage takes at once, a power of two
   * @param blocksPerShard shard size / 16
   */
  constructor(
    readonly waveShards: number,
    readonly blocksPerShard: number,
  ) {}

  #record(kind: number, payload: readonly number[]): void {
    this.#code.push(kind, payload.length, ...payload);
  }

  /** Reserves scratch memory; returns its offset / 16. */
  #allocate(floats: number): number {
    const at = this.#units;
    this.#units += units(floats);
    return at;
  }

  /** Rounds these floats of the contribution to bf16, in every partial. They start and end at multiples of 16. */
  round(spans: readonly { readonly begin: number; readonly end: number }[]): void {
    this.#record(
      record.rounding,
      spans.flatMap(({ begin, end }) => [units(begin), units(end)]),
    );
  }

  /** @param isKept one instance per shard of the wave, rather than one that every shard reuses */
  tensor({ channels, height, width }: TensorShape, border: Border, isKept: boolean, isDense = false): ProgramTensor {
    const pixels = isDense ? height * width : channelPixels(height, width, border);
    const blockFloats = channels * pixels * BLOCK;
    const at = this.#allocate(blockFloats * this.blocksPerShard * (isKept ? this.waveShards : 1));
    return this.#declare({ channels, height, width }, border, at, pixels * BLOCK, blockFloats, isKept);
  }

  /** A borderless tensor of one block row in memory that was reserved with `reserve`: what outlives no op. */
  passing({ channels, height, width }: TensorShape, at: number): ProgramTensor {
    const pixels = channelPixels(height, width, NO_BORDER);
    return this.#declare({ channels, height, width }, NO_BORDER, at, pixels * BLOCK, channels * pixels * BLOCK, false);
  }

  /** Reserves memory for the largest of the shapes, as `passing` lays them out; undefined for none. */
  reserve(shapes: readonly TensorShape[]): number | undefined {
    if (shapes.length === 0) return undefined;
    const floats = shapes.map(
      ({ channels, height, width }) => channels * channelPixels(height, width, NO_BORDER) * BLOCK,
    );
    return this.#allocate(Math.max(...floats) * this.blocksPerShard);
  }

  /** The same memory as a vector of features; the tensor must be dense. */
  flat(tensor: ProgramTensor): ProgramTensor {
    const channels = tensor.channels * tensor.height * tensor.width;
    return this.#declare(
      { channels, height: 1, width: 1 },
      NO_BORDER,
      tensor.at,
      BLOCK,
      tensor.blockFloats,
      tensor.isKept,
    );
  }

  #declare(
    shape: TensorShape,
    border: Border,
    at: number,
    channelStride: number,
    blockFloats: number,
    isKept: boolean,
  ): ProgramTensor {
    const { channels, height, width } = shape;
    const rowStride = (border.before + width + border.after) * BLOCK;
    const interior = border.before * (rowStride + BLOCK);
    const shardStride = isKept ? (blockFloats * this.blocksPerShard) / BLOCK : 0;
    this.#maxChannels = Math.max(this.#maxChannels, channels);
    this.#record(record.tensor, [
      at,
      interior,
      shardStride,
      blockFloats / BLOCK,
      channelStride,
      rowStride,
      channels,
      height,
      width,
    ]);
    return { id: this.#tensors++, channels, height, width, border, blockFloats, at, isKept };
  }

  /** Declares a batch norm over y; offsets are those of the contribution's layout. Frozen: in evaluation mode always. */
  norm(y: ProgramTensor, gamma: number, beta: number, statistics: number, isFrozen: boolean): number {
    const floats = 7 * y.channels;
    const stride = units(floats);
    const at = this.#allocate(stride * BLOCK * this.waveShards);
    this.#record(record.norm, [y.id, at, stride, gamma, beta, statistics, isFrozen ? 1 : 0]);
    return this.#norms++;
  }

  /** Declares the kept elements of one dropout, `elements` per sample. */
  dropoutBits(elements: number, p: number, layerIndex: number): number {
    const threshold = Math.round(p * 65_536);
    const perBlock = Math.ceil(elements / 32) * 32;
    const at = this.#allocate((perBlock * this.blocksPerShard * this.waveShards) / 2);
    this.#record(record.dropoutBits, [
      at,
      perBlock * this.blocksPerShard,
      perBlock,
      elements,
      threshold,
      bitsOf(65_536 / (65_536 - threshold)),
      layerIndex,
    ]);
    return this.#dropouts++;
  }

  stage(isWave: boolean, isBackward: boolean): void {
    this.#record(record.stage, [isWave ? 1 : 0, isBackward ? 1 : 0]);
  }

  /** Images into `out`: pixel v becomes v * scale + shift, per channel. */
  input(
    out: ProgramTensor,
    augmentation: ProgramAugmentation,
    normalization: readonly { scale: number; shift: number }[],
  ): void {
    const { centerCrop } = augmentation;
    const bordered = this.#allocate((BLOCK * (out.height + 3) * (out.width + 3)) / 4 + BLOCK);
    this.#record(record.input, [
      out.id,
      bitsOf(augmentation.rotation),
      bitsOf(augmentation.scale),
      augmentation.shift,
      bitsOf(centerCrop === undefined ? 1 : out.width / centerCrop.size),
      bitsOf(centerCrop?.probability ?? 0),
      bordered,
      ...normalization.flatMap(({ scale, shift }) => [bitsOf(scale), bitsOf(shift)]),
    ]);
  }

  dropoutMask(dropout: number): void {
    this.#record(record.dropoutMask, [dropout]);
  }

  /** @param bias offset, or -1 */
  conv(
    input: ProgramTensor,
    out: ProgramTensor,
    weight: number,
    bias: number,
    spec: { kernel: number; stride: number; padding: number; groups: number },
    withRelu: boolean,
  ): number {
    const { kernel, stride, padding, groups } = spec;
    this.#record(record.conv, [input.id, out.id, weight, bias, kernel, stride, padding, groups, withRelu ? 1 : 0]);
    return this.#convs++;
  }

  normForward(norm: number): void {
    this.#record(record.normForward, [norm]);
  }

  post({ y, out, norm, withRelu, dropout1, dropout2, kernel, stride }: PostOptions): number {
    const runs = y.id === out.id ? 0 : 1;
    this.#record(record.post, [y.id, out.id, norm, withRelu ? 1 : 0, dropout1, dropout2, kernel, stride, runs]);
    return this.#posts++;
  }

  averagePool(input: ProgramTensor, out: ProgramTensor, kernel: TensorShape, stride: number): number {
    this.#record(record.averagePool, [input.id, out.id, kernel.height, kernel.width, stride]);
    return this.#pools++;
  }

  dense(input: ProgramTensor, out: ProgramTensor, weight: number, bias: number): number {
    // an odd number of cache lines, so that the samples of a few inputs spread over all sets
    const pitch = (units(input.channels) | 1) * BLOCK;
    const perShard = pitch * BLOCK * this.blocksPerShard;
    const at = this.#allocate(perShard * this.waveShards + 16 * BLOCK);
    this.#record(record.dense, [input.id, out.id, weight, bias, at, perShard / BLOCK, pitch]);
    return this.#denses++;
  }

  /** @param smoothing of the labels, in training */
  loss(logits: ProgramTensor, result: number, smoothing: number): void {
    this.#record(record.loss, [logits.id, result, bitsOf(smoothing)]);
  }

  denseWeightGradient(dense: number, dOut: ProgramTensor): void {
    this.#record(record.denseWeightGradient, [dense, dOut.id]);
  }

  denseInputGradient(dense: number, dOut: ProgramTensor, dIn: ProgramTensor): void {
    this.#record(record.denseInputGradient, [dense, dOut.id, dIn.id]);
  }

  averagePoolBackward(pool: number, dOut: ProgramTensor, dIn: ProgramTensor): void {
    this.#record(record.averagePoolBackward, [pool, dOut.id, dIn.id]);
  }

  postBackward(post: number, dOut: ProgramTensor, g: ProgramTensor): void {
    this.#record(record.postBackward, [post, dOut.id, g.id]);
  }

  /** Batch norm's backward, through the pass behind it, over y: the post has a norm, and no pool or one of 2x2. */
  normBackward(post: number, dOut: ProgramTensor, masksByRelu: boolean): void {
    this.#record(record.normBackward, [post, dOut.id, masksByRelu ? 1 : 0]);
  }

  apply(y: ProgramTensor, g: ProgramTensor, norm: number, masksByRelu: boolean): void {
    this.#record(record.apply, [y.id, g.id, norm, masksByRelu ? 1 : 0]);
  }

  convWeightGradient(conv: number, dOut: ProgramTensor): void {
    this.#record(record.convWeightGradient, [conv, dOut.id]);
  }

  convInputGradient(conv: number, dOut: ProgramTensor, dIn: ProgramTensor): void {
    this.#record(record.convInputGradient, [conv, dOut.id, dIn.id]);
  }

  convBiasGradient(dOut: ProgramTensor, bias: number): void {
    this.#record(record.convBiasGradient, [dOut.id, bias]);
  }

  /** Zeroes [begin, end) of the contribution. */
  zeroGradient(begin: number, end: number): void {
    this.#record(record.zeroGradient, [begin, end]);
  }

  /**
   * @param prefix floats at the start of the contribution that shard stages write
   * @param outputs what the program has to write, each by one op; left out: whatever its ops write
   * @throws Error when the program breaks a rule of ownership.ts
   */
  finish(prefix: number, outputs?: readonly OutputSpan[]): Int32Array {
    const leaves = this.#allocate(prefix * this.waveShards);
    const header = [this.waveShards, this.blocksPerShard, prefix, this.#units, leaves, this.#maxChannels];
    const code = Int32Array.from([...header, ...this.#code]);
    checkOwnership(code, outputs);
    return code;
  }
}
