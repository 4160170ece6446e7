/**
 * Second part of the compiler: every unit gets its tensors.
 *
 * Who owns a gradient: a place in memory holds one value, and after it one gradient, which exactly one op writes before
 * it is read. The gradient of a unit's output is written by the unit that reads that output, into `dOut`:
 *
 *   - a unit with a source, by its source's input gradient;
 *   - a unit without one, because its y is that output, and dY overwrites y.
 *
 * So dOut is out itself, but where a ReLU in the store needs out beside its gradient; there the reader has a source (see
 * units.ts). Likewise dY overwrites y, and where y is needed beside the gradient that comes in, that gradient goes
 * through a tensor g. `checkOwnership` of @lockstep/kernels holds every finished program to this.
 */
import { assert } from '@lockstep/core/errors';
import { elementCount, type Layer, type Shape } from '@lockstep/core/model';
import type { Recipe } from '@lockstep/core/spec';
import { type Border, NO_BORDER, type ProgramBuilder, type ProgramTensor } from '@lockstep/kernels';
import { gradientBorder, inputBorder, isNone, widest } from './borders.js';
import type { Offsets } from './offsets.js';
import { isDense, type Unit, usesG } from './units.js';

/** A unit with its tensors and declared parts. */
export interface PlacedUnit {
  readonly unit: Unit;
  readonly input: ProgramTensor;
  readonly y: ProgramTensor;
  readonly out: ProgramTensor;
  /** Where the next unit leaves the gradient of out. */
  readonly dOut: ProgramTensor;
  /** Ids of what is declared; -1: none. */
  readonly norm: number;
  readonly dropout1: number;
  readonly dropout2: number;
  /** Ids of the source's op and of the post, given when the forward is written. */
  op: number;
  post: number;
}

export function dropoutOf(layer: Layer, recipe: Recipe): number {
  return layer.spec.type === 'dropout' ? (recipe.dropout ?? layer.spec.p) : 0;
}

export class Placement {
  readonly image: ProgramTensor;
  readonly placed: PlacedUnit[] = [];
  /** Memory that the shards' gradients g pass through, one after the other. */
  readonly #passingAt: number | undefined;

  /**
   * @param input shape of the image
   * @param tail index of the first unit of the wave stage; the number of units if there is none
   */
  constructor(
    private readonly builder: ProgramBuilder,
    private readonly units: readonly Unit[],
    private readonly tail: number,
    private readonly input: Shape,
    private readonly recipe: Recipe,
    private readonly offsets: Offsets,
  ) {
    const passing = units.flatMap((unit, i) => (usesG(unit) && i < tail ? [this.#shapeOfY(i)] : []));
    this.#passingAt = builder.reserve(passing);
    this.offsets.writeRounding(builder);
    this.image = this.#tensor(input, this.#readBorder(0), this.#needsDense(-1));
    let read = this.image;
    for (const [index, unit] of units.entries()) {
      const placed = this.#place(index, unit, read);
      this.placed.push(placed);
      read = placed.out;
    }
  }

  /** What the loss reads. */
  get logits(): ProgramTensor {
    return this.flat(this.placed.at(-1)?.out ?? this.image);
  }

  /** The same memory as a vector. */
  flat(tensor: ProgramTensor): ProgramTensor {
    return tensor.height * tensor.width === 1 ? tensor : this.builder.flat(tensor);
  }

  /**
   * A tensor g for unit `index`. A shard stage is done with it before the next shard comes; a wave stage passes all
   * shards through the op that writes it before the one that reads it, so there each shard has its own.
   */
  gradientOfY(index: number): ProgramTensor {
    const { y } = this.placed[index] as PlacedUnit;
    return index < this.tail ? this.#passing(y) : this.builder.tensor(y, NO_BORDER, this.#keeps);
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
    if (index < 0) return this.input;
    return this.units[index]?.post?.pool?.output ?? this.#shapeOfY(index);
  }

  /** The gradient of a ReLU's output that is masked by that output: kept if the wave stage writes it for shards. */
  #gradientOfStored(index: number, y: ProgramTensor): ProgramTensor {
    const isVector = this.#needsDense(index);
    const passes = index < this.tail - 1 && !isVector;
    return passes ? this.#passing(y) : this.builder.tensor(y, NO_BORDER, this.#keeps, isVector);
  }

  /** Whether activations are kept for every shard of a wave, as a wave stage stands between forward and backward. */
  get #keeps(): boolean {
    return this.builder.waveShards > 1;
  }

  #tensor(shape: Shape, border: Border, isVector: boolean): ProgramTensor {
    return this.builder.tensor(shape, isVector ? NO_BORDER : border, this.#keeps, isVector);
  }

  #passing(y: ProgramTensor): ProgramTensor {
    assert(this.#passingAt !== undefined, () => 'no memory was reserved for a gradient');
    return this.builder.passing(y, this.#passingAt);
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
    return this.#readsFlat(index) ? this.flat(input) : input;
  }

  #norm(y: ProgramTensor, layer: Layer): number {
    const { gamma, beta, statistics } = this.offsets.ofNorm(layer);
    return this.builder.norm(y, gamma, beta, statistics, this.offsets.isFrozen(layer));
  }

  #dropout(layer: Layer | undefined): number {
    if (!layer) return -1;
    return this.builder.dropoutBits(elementCount(layer.output), dropoutOf(layer, this.recipe), layer.index);
  }
}

const asShape = ({ channels, height, width }: Shape): Shape => ({ channels, height, width });
