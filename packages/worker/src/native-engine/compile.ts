/**
 * Second half of the compiler: units become a program of kernel calls.
 *
 * Gradients live where the activations were: the gradient of a unit's output overwrites that output once the next
 * unit's weight gradient has read it, and dY overwrites y. Only where a batch norm (or pool windows that do not tile) needs
 * y and the gradient at once does the gradient of y go through a tensor of its own, g.
 *
 * A model whose dense layers are large runs in three stages: shard by shard up to the first of them, all shards of a
 * group at once through the rest and back (so that the weights are read once per group), shard by shard to the start.
 * Other models run each shard forward and backward in one go, so that its activations stay in cache.
 */
import {
  assert,
  type ContributionLayout,
  elementCount,
  type Freeze,
  type Layer,
  listRounded,
  planFreeze,
  type Recipe,
  type Segment,
  type Shape,
} from '@lockstep/core/step';
import { BLOCK, type Border, NO_BORDER, ProgramBuilder, type ProgramTensor } from '@lockstep/kernels';
import { gradientBorder, inputBorder, isNone, widest } from './borders.js';
import { groupUnits, isDense, isFusedNorm, type Unit, usesG } from './units.js';

/** Weights from which a dense layer is worth a group stage. */
const LARGE_DENSE_WEIGHTS = 16_384;
/** Shards in a group: bounds what is kept between the stages. */
const GROUP_SHARDS = 8;

export interface CompileOptions {
  readonly layers: readonly Layer[];
  readonly layout: ContributionLayout;
  readonly recipe: Recipe;
  /** Per channel: mean and standard deviation of pixels as fractions. */
  readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

export interface CompiledProgram {
  readonly code: Int32Array;
  /** Shards that the program takes at once. */
  readonly groupShards: number;
  /** Floats of a contribution from here on are final before the program's last stage; its length if that writes them all. */
  readonly tailAt: number;
}

/** A unit with its tensors and declared parts. */
interface PlacedUnit {
  readonly unit: Unit;
  readonly input: ProgramTensor;
  readonly y: ProgramTensor;
  readonly out: ProgramTensor;
  /** Where the next unit leaves the gradient of out: over out itself, unless y is still needed there. */
  readonly dOut: ProgramTensor;
  readonly norm: number;
  readonly dropout1: number;
  readonly dropout2: number;
  /** Ids of the source's op and of the post, given when the forward is written. */
  op: number;
  post: number;
}

/** Compiles a model under a recipe for the native kernels. */
export function compile(options: CompileOptions): CompiledProgram {
  const units = groupUnits(options.layers, (layer) => dropoutOf(layer, options.recipe));
  const tail = units.findIndex(isLargeDense);
  const groupShards = tail < 0 ? 1 : GROUP_SHARDS;
  const builder = new ProgramBuilder(groupShards, options.recipe.shardSize / BLOCK);
  const compiler = new Compiler(options, builder, units, tail < 0 ? units.length : tail);
  return { code: compiler.run(), groupShards, tailAt: findTail(options.layout, units, tail) };
}

/** Where the contribution of the group stage begins, which is the floats that shard stages write; the end if there is none. */
function findTail(layout: ContributionLayout, units: readonly Unit[], tail: number): number {
  const first = units[tail]?.source?.index;
  const segment = first === undefined ? undefined : layout.segments.find((s) => layerOf(s) >= first);
  return segment?.offset ?? layout.length;
}

/** As in the program that `compile` writes. */
export function tailOf(layers: readonly Layer[], layout: ContributionLayout, recipe: Recipe): number {
  const units = groupUnits(layers, (layer) => dropoutOf(layer, recipe));
  return findTail(layout, units, units.findIndex(isLargeDense));
}

export function dropoutOf(layer: Layer, recipe: Recipe): number {
  return layer.spec.type === 'dropout' ? (recipe.dropout ?? layer.spec.p) : 0;
}

const isLargeDense = ({ source }: Unit): boolean =>
  source !== undefined && isDense(source) && elementCount(source.input) * source.output.channels >= LARGE_DENSE_WEIGHTS;

class Compiler {
  readonly #placed: PlacedUnit[] = [];
  readonly #freeze: Freeze;
  /** The lowest unit with something to train: nothing below it needs a gradient. */
  readonly #lowest: number;
  /** Memory of the gradients g, one after the other. */
  readonly #gAt: number | undefined;

  constructor(
    private readonly options: CompileOptions,
    private readonly builder: ProgramBuilder,
    private readonly units: readonly Unit[],
    /** Index of the first unit of the group stage; the number of units if there is none. */
    private readonly tail: number,
  ) {
    this.#freeze = planFreeze(options.layers, options.recipe.freeze);
    this.#lowest = units.findIndex(({ source, post }) => this.#trains(source) || this.#trains(post?.norm));
    this.#gAt = builder.reserve(units.flatMap((unit, index) => (usesG(unit) ? [this.#shapeOfY(index)] : [])));
  }

  #trains(layer: Layer | undefined): boolean {
    return layer !== undefined && layer.parameters.length > 0 && !this.#freeze.isLayerFrozen(layer);
  }

  run(): Int32Array {
    const rounded = listRounded(this.options.layout, this.options.recipe);
    if (rounded.length > 0) this.builder.round(rounded);
    const image = this.#placeAll();
    const hasTail = this.tail < this.units.length;
    this.builder.stage(false, false);
    this.#writeInput(image);
    this.#forward(0, this.tail);
    if (hasTail) {
      this.builder.stage(true, false);
      this.#forward(this.tail, this.units.length);
    }
    const logits = this.#flat((this.#placed.at(-1) as PlacedUnit).out);
    this.builder.loss(logits, this.options.layout.resultOffset, this.options.recipe.labelSmoothing ?? 0);
    this.builder.stage(hasTail, true);
    this.#backward(this.units.length, hasTail ? this.tail : 0);
    if (hasTail) {
      this.builder.stage(false, true);
      this.#backward(this.tail, 0);
    }
    return this.builder.finish(findTail(this.options.layout, this.units, this.tail));
  }

  // ---- tensors ----

  #placeAll(): ProgramTensor {
    const first = this.options.layers[0] as Layer;
    const image = this.#tensor(first.input, this.#readBorder(0), this.#needsDense(-1));
    let input = image;
    for (const [index, unit] of this.units.entries()) {
      const placed = this.#place(index, unit, input);
      this.#placed.push(placed);
      input = placed.out;
    }
    return image;
  }

  #place(index: number, unit: Unit, input: ProgramTensor): PlacedUnit {
    const { source, post, storesRelu } = unit;
    const read = this.#readBorder(index + 1);
    const isVector = this.#needsDense(index);
    const own = source ? gradientBorder(source, index > 0) : NO_BORDER;
    // A dense reader takes no border, a dense layer gives none: then y and what is read are two tensors.
    const copies = !post && ((isVector && !isNone(own)) || (source && isDense(source) && !isNone(read)));
    const isSame = !post && !copies;
    const y = source
      ? this.#tensor(source.output, isSame ? widest(own, read) : own, isSame && isVector)
      : this.#asRead(input, index);
    const norm = post?.norm ? this.#norm(y, post.norm) : -1;
    const dropout1 = this.#dropout(post?.dropout1);
    const dropout2 = this.#dropout(post?.dropout2);
    const out = isSame ? y : this.#tensor(post?.pool?.output ?? asShape(y), read, isVector);
    const dOut = isSame && storesRelu ? this.#gradientOfStored(index, y) : out;
    return { unit, input, y, out, dOut, norm, dropout1, dropout2, op: -1, post: -1 };
  }

  /** Shape of a unit's y: what its source gives, or what it is given. */
  #shapeOfY(index: number): Shape {
    const { source, post } = this.units[index] as Unit;
    return source?.output ?? post?.norm?.input ?? this.#shapeOfOut(index - 1);
  }

  /** Shape of what a unit gives, before any flatten. */
  #shapeOfOut(index: number): Shape {
    if (index < 0) return (this.options.layers[0] as Layer).input;
    return this.units[index]?.post?.pool?.output ?? this.#shapeOfY(index);
  }

  /** The gradient of a ReLU's output that is masked by that output: kept if the group stage writes it for shards. */
  #gradientOfStored(index: number, y: ProgramTensor): ProgramTensor {
    const isDense = this.#needsDense(index);
    return index >= this.tail - 1 || isDense ? this.builder.tensor(y, NO_BORDER, this.#keeps, isDense) : this.#g(y);
  }

  /** Whether activations are kept for every shard of a group, as a group stage stands between forward and backward. */
  get #keeps(): boolean {
    return this.builder.groupShards > 1;
  }

  #tensor(shape: Shape, border: Border, isDense: boolean): ProgramTensor {
    return this.builder.tensor(shape, isDense ? NO_BORDER : border, this.#keeps, isDense);
  }

  #g(y: ProgramTensor): ProgramTensor {
    assert(this.#gAt !== undefined, () => 'no memory was reserved for a gradient');
    return this.builder.passing(y, this.#gAt);
  }

  /** Border that unit `index` reads around its input. */
  #readBorder(index: number): Border {
    const source = this.units[index]?.source;
    return source ? inputBorder(source) : NO_BORDER;
  }

  /** Whether the reader of unit `index`'s output takes it as one vector: a dense layer, or the loss. */
  #needsDense(index: number): boolean {
    const next = this.units[index + 1];
    return next === undefined || (next.source && isDense(next.source)) || this.#readsFlat(index + 1);
  }

  /** Whether a unit without a source takes an image as a vector: a batch norm behind a flatten. */
  #readsFlat(index: number): boolean {
    const { source, post } = this.units[index] as Unit;
    return source === undefined && post?.norm?.isFlat === true;
  }

  #asRead(input: ProgramTensor, index: number): ProgramTensor {
    return this.#readsFlat(index) ? this.#flat(input) : input;
  }

  #norm(y: ProgramTensor, layer: Layer): number {
    const at = (role: string): number => this.#segment(layer, role).offset;
    return this.builder.norm(y, at('gamma'), at('beta'), at('statistics'), this.#freeze.isLayerFrozen(layer));
  }

  #dropout(layer: Layer | undefined): number {
    if (!layer) return -1;
    return this.builder.dropoutBits(elementCount(layer.output), dropoutOf(layer, this.options.recipe), layer.index);
  }

  #segment(layer: Layer, role: string): Segment {
    const segment = this.options.layout.segments.find(
      (s) => layerOf(s) === layer.index && (s.kind === 'parameter' ? s.parameter.role === role : s.kind === role),
    );
    assert(segment, () => `layer ${layer.index} has no ${role} in the contribution`);
    return segment;
  }

  #bias(layer: Layer): number {
    const { spec } = layer;
    return (spec.type === 'conv' || spec.type === 'linear') && spec.bias ? this.#segment(layer, 'bias').offset : -1;
  }

  #flat(tensor: ProgramTensor): ProgramTensor {
    return tensor.height * tensor.width === 1 ? tensor : this.builder.flat(tensor);
  }

  // ---- forward ----

  #writeInput(image: ProgramTensor): void {
    const { mean, std } = this.options.normalization;
    const normalization = mean.map((m, c) => {
      const s = std[c] as number;
      return { scale: 1 / (255 * s), shift: -m / s };
    });
    this.builder.input(image, this.options.recipe.augmentation, normalization);
  }

  #forward(begin: number, end: number): void {
    for (const placed of this.#placed.slice(begin, end)) {
      this.#writeSource(placed);
      this.#writePost(placed);
    }
  }

  #writeSource(placed: PlacedUnit): void {
    const { unit, input, y } = placed;
    const source = unit.source;
    if (!source) return;
    const { spec } = source;
    if (isDense(source)) {
      placed.op = this.builder.dense(this.#flat(input), y, this.#segment(source, 'weight').offset, this.#bias(source));
    } else if (spec.type === 'conv') {
      const weight = this.#segment(source, 'weight').offset;
      placed.op = this.builder.conv(input, y, weight, this.#bias(source), spec, unit.storesRelu);
    } else if (spec.type === 'avgPool') {
      const window = { channels: 0, height: spec.kernel, width: spec.kernel };
      placed.op = this.builder.averagePool(input, y, window, spec.stride ?? spec.kernel);
    } else if (spec.type === 'globalAvgPool') {
      placed.op = this.builder.averagePool(input, y, source.input, 1);
    }
  }

  #writePost(placed: PlacedUnit): void {
    const { unit, y, out, norm, dropout1, dropout2 } = placed;
    const post = unit.post;
    if (norm >= 0) this.builder.normForward(norm);
    if (y.id === out.id) return;
    for (const dropout of [dropout1, dropout2]) if (dropout >= 0) this.builder.dropoutMask(dropout);
    const pool = post?.pool?.spec;
    const kernel = pool?.type === 'maxPool' ? pool.kernel : 0;
    const stride = pool?.type === 'maxPool' ? (pool.stride ?? pool.kernel) : 0;
    const withRelu = post?.relu ?? false;
    placed.post = this.builder.post({ y, out, norm, withRelu, dropout1, dropout2, kernel, stride });
  }

  // ---- backward ----

  #backward(end: number, begin: number): void {
    for (let index = end - 1; index >= Math.max(begin, this.#lowest); index--) {
      const placed = this.#placed[index] as PlacedUnit;
      this.#writePostBackward(placed);
      this.#writeSourceBackward(placed, index > this.#lowest ? this.#placed[index - 1]?.dOut : undefined);
    }
  }

  /** From the gradient of out to dY, which overwrites y. */
  #writePostBackward({ unit, y, out, dOut, norm, post }: PlacedUnit): void {
    if (y.id === out.id) {
      if (unit.storesRelu) this.builder.apply(y, dOut, -1, true);
    } else if (isFusedNorm(unit) && norm >= 0) {
      this.builder.normBackward(post, dOut, unit.storesRelu);
    } else if (usesG(unit)) {
      const g = this.#g(y);
      this.builder.postBackward(post, dOut, g);
      this.builder.apply(y, g, norm, unit.storesRelu);
    } else {
      this.builder.postBackward(post, dOut, y);
      if (unit.storesRelu) this.builder.apply(y, y, -1, true);
    }
  }

  /** Parameter gradients from dY, then the gradient of the input for the unit before. */
  #writeSourceBackward({ unit, y, op }: PlacedUnit, dIn: ProgramTensor | undefined): void {
    const source = unit.source;
    if (!source) return;
    if (isDense(source)) {
      if (this.#trains(source)) this.builder.denseWeightGradient(op, y);
      if (this.#trains(source) && this.#isBiasLost(unit)) this.#writeConvBias(unit, source, y);
      if (dIn) this.builder.denseInputGradient(op, y, this.#flat(dIn));
    } else if (source.spec.type === 'conv') {
      if (this.#trains(source)) {
        this.builder.convWeightGradient(op, y);
        this.#writeConvBias(unit, source, y);
      }
      if (dIn) this.builder.convInputGradient(op, y, dIn);
    } else if (dIn) {
      this.builder.averagePoolBackward(op, y, dIn);
    }
  }

  /** Whether a batch norm straight behind takes away what the source's bias adds; a frozen one does not. */
  #isBiasLost({ post, storesRelu }: Unit): boolean {
    return post?.norm !== undefined && !storesRelu && !this.#freeze.isLayerFrozen(post.norm);
  }

  /** A bias straight before a batch norm has no effect, unless that is frozen: its gradient is exactly 0. */
  #writeConvBias(unit: Unit, source: Layer, y: ProgramTensor): void {
    const bias = this.#bias(source);
    if (bias < 0) return;
    if (this.#isBiasLost(unit)) this.builder.zeroGradient(bias, bias + y.channels);
    else this.builder.convBiasGradient(y, bias);
  }
}

const asShape = ({ channels, height, width }: Shape): Shape => ({ channels, height, width });

const layerOf = (segment: Segment): number =>
  segment.kind === 'result' ? Number.MAX_SAFE_INTEGER : segment.layerIndex;
