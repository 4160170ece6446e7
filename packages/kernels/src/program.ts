/** Writes programs: flat lists of kernel calls over one scratch memory, run by packages/kernels/native/program.cc. */
import { checkOwnership } from './ownership.js';
import {
  BLOCK,
  type Border,
  headerFields,
  listRepeated,
  listWords,
  NO_BORDER,
  type OutputSpan,
  type ProgramAugmentation,
  type ProgramTensor,
  type RecordKind,
  type RecordWords,
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

const flag = (is: boolean): number => (is ? 1 : 0);
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

  #record<K extends RecordKind>(kind: K, words: RecordWords<K>, more: readonly number[] = []): void {
    const payload = [...listWords(kind, words), ...more];
    this.#code.push(record[kind], payload.length, ...payload);
  }

  /** Reserves scratch memory; returns its offset / 16. */
  #allocate(floats: number): number {
    const at = this.#units;
    this.#units += units(floats);
    return at;
  }

  /** Rounds these floats of the contribution to bf16, in every partial. They start and end at multiples of 16. */
  round(spans: readonly { readonly begin: number; readonly end: number }[]): void {
    const words = spans.map(({ begin, end }) => ({ begin: units(begin), end: units(end) }));
    this.#record('rounding', {}, listRepeated('rounding', words));
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
    const blockStride = blockFloats / BLOCK;
    const strides = { shardStride, blockStride, channelStride, rowStride };
    this.#record('tensor', { at, interior, ...strides, channels, height, width });
    return { id: this.#tensors++, channels, height, width, border, blockFloats, at, isKept };
  }

  /** Declares a batch norm over y; offsets are those of the contribution's layout. Frozen: in evaluation mode always. */
  norm(y: ProgramTensor, gamma: number, beta: number, statistics: number, isFrozen: boolean): number {
    const floats = 7 * y.channels;
    const coefficientStride = units(floats);
    const at = this.#allocate(coefficientStride * BLOCK * this.waveShards);
    const offsets = { gamma, beta, statistics };
    this.#record('norm', { y: y.id, at, coefficientStride, ...offsets, isFrozen: flag(isFrozen) });
    return this.#norms++;
  }

  /** Declares the kept elements of one dropout, `elements` per sample. */
  dropoutBits(elements: number, p: number, layer: number): number {
    const threshold = Math.round(p * 65_536);
    const blockStride = Math.ceil(elements / 32) * 32;
    const shardStride = blockStride * this.blocksPerShard;
    const at = this.#allocate((shardStride * this.waveShards) / 2);
    const keepScale = bitsOf(65_536 / (65_536 - threshold));
    this.#record('dropoutBits', { at, shardStride, blockStride, elements, threshold, keepScale, layer });
    return this.#dropouts++;
  }

  stage(isWave: boolean, isBackward: boolean): void {
    this.#record('stage', { isWave: flag(isWave), isBackward: flag(isBackward) });
  }

  /** Images into `out`: pixel v becomes v * scale + shift, per channel. */
  input(
    out: ProgramTensor,
    augmentation: ProgramAugmentation,
    normalization: readonly { scale: number; shift: number }[],
  ): void {
    const { centerCrop } = augmentation;
    const words = {
      out: out.id,
      rotation: bitsOf(augmentation.rotation),
      zoom: bitsOf(augmentation.scale),
      move: augmentation.shift,
      crop: bitsOf(centerCrop === undefined ? 1 : out.width / centerCrop.size),
      cropProbability: bitsOf(centerCrop?.probability ?? 0),
      // where the image is drawn with a border
      at: this.#allocate((BLOCK * (out.height + 3) * (out.width + 3)) / 4 + BLOCK),
    };
    const channels = normalization.map(({ scale, shift }) => ({ scale: bitsOf(scale), shift: bitsOf(shift) }));
    this.#record('input', words, listRepeated('input', channels));
  }

  dropoutMask(dropout: number): void {
    this.#record('dropoutMask', { dropout });
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
    const window = { kernel, stride, padding, groups };
    this.#record('conv', { in: input.id, out: out.id, weight, bias, ...window, withRelu: flag(withRelu) });
    return this.#convs++;
  }

  normForward(norm: number): void {
    this.#record('normForward', { norm });
  }

  post({ y, out, norm, withRelu, dropout1, dropout2, kernel, stride }: PostOptions): number {
    const parts = { norm, withRelu: flag(withRelu), dropout1, dropout2, kernel, stride };
    this.#record('post', { y: y.id, out: out.id, ...parts, isOp: flag(y.id !== out.id) });
    return this.#posts++;
  }

  averagePool(input: ProgramTensor, out: ProgramTensor, kernel: TensorShape, stride: number): number {
    const window = { kernelHeight: kernel.height, kernelWidth: kernel.width, stride };
    this.#record('averagePool', { in: input.id, out: out.id, ...window });
    return this.#pools++;
  }

  dense(input: ProgramTensor, out: ProgramTensor, weight: number, bias: number): number {
    // an odd number of cache lines, so that the samples of a few inputs spread over all sets
    const pitch = (units(input.channels) | 1) * BLOCK;
    const perShard = pitch * BLOCK * this.blocksPerShard;
    const at = this.#allocate(perShard * this.waveShards + 16 * BLOCK);
    const transposedShardStride = perShard / BLOCK;
    this.#record('dense', { in: input.id, out: out.id, weight, bias, at, transposedShardStride, pitch });
    return this.#denses++;
  }

  /** @param smoothing of the labels, in training */
  loss(logits: ProgramTensor, result: number, smoothing: number): void {
    this.#record('loss', { logits: logits.id, result, smoothing: bitsOf(smoothing) });
  }

  denseWeightGradient(dense: number, dOut: ProgramTensor): void {
    this.#record('denseWeightGradient', { dense, dOut: dOut.id });
  }

  denseInputGradient(dense: number, dOut: ProgramTensor, dIn: ProgramTensor): void {
    this.#record('denseInputGradient', { dense, dOut: dOut.id, dIn: dIn.id });
  }

  averagePoolBackward(pool: number, dOut: ProgramTensor, dIn: ProgramTensor): void {
    this.#record('averagePoolBackward', { averagePool: pool, dOut: dOut.id, dIn: dIn.id });
  }

  postBackward(post: number, dOut: ProgramTensor, g: ProgramTensor): void {
    this.#record('postBackward', { post, dOut: dOut.id, g: g.id });
  }

  /** Batch norm's backward, through the pass behind it, over y: the post has a norm, and no pool or one of 2x2. */
  normBackward(post: number, dOut: ProgramTensor, masksByRelu: boolean): void {
    this.#record('normBackward', { post, dOut: dOut.id, masksByRelu: flag(masksByRelu) });
  }

  apply(y: ProgramTensor, g: ProgramTensor, norm: number, masksByRelu: boolean): void {
    this.#record('apply', { y: y.id, g: g.id, norm, masksByRelu: flag(masksByRelu) });
  }

  convWeightGradient(conv: number, dOut: ProgramTensor): void {
    this.#record('convWeightGradient', { conv, dOut: dOut.id });
  }

  convInputGradient(conv: number, dOut: ProgramTensor, dIn: ProgramTensor): void {
    this.#record('convInputGradient', { conv, dOut: dOut.id, dIn: dIn.id });
  }

  convBiasGradient(dOut: ProgramTensor, bias: number): void {
    this.#record('convBiasGradient', { dOut: dOut.id, begin: bias });
  }

  /** Zeroes [begin, end) of the contribution. */
  zeroGradient(begin: number, end: number): void {
    this.#record('zeroGradient', { begin, end });
  }

  /**
   * @param prefix floats at the start of the contribution that shard stages write
   * @param outputs what the program has to write, each by one op; left out: whatever its ops write
   * @throws Error when the program breaks a rule of ownership.ts
   */
  finish(prefix: number, outputs?: readonly OutputSpan[]): Int32Array {
    const { waveShards, blocksPerShard } = this;
    const leavesAt = this.#allocate(prefix * waveShards);
    const sizes = { scratchFloats: this.#units, leavesAt, maxChannels: this.#maxChannels };
    const header = { waveShards, blocksPerShard, prefix, ...sizes };
    const code = Int32Array.from([...headerFields.map((name) => header[name]), ...this.#code]);
    checkOwnership(code, outputs);
    return code;
  }
}
