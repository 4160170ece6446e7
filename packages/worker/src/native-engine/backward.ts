/**
 * Fourth part of the compiler: the ops that take the gradient of the logits back, each unit from dOut to dY, to the
 * gradients of its parameters, and to the dOut of the unit before it.
 */
import type { Layer } from '@lockstep/core/model';
import type { ProgramBuilder, ProgramTensor } from '@lockstep/kernels';
import type { Offsets } from './offsets.js';
import type { PlacedUnit, Placement } from './unit-tensors.js';
import { isDense, isFusedNorm, type Unit, usesG } from './units.js';

export class BackwardWriter {
  /** The lowest unit with something to train: nothing below it needs a gradient. */
  readonly #lowest: number;

  constructor(
    private readonly builder: ProgramBuilder,
    private readonly placement: Placement,
    private readonly offsets: Offsets,
  ) {
    const trains = ({ unit }: PlacedUnit): boolean => offsets.trains(unit.source) || offsets.trains(unit.post?.norm);
    const lowest = placement.placed.findIndex(trains);
    this.#lowest = lowest < 0 ? placement.placed.length : lowest;
  }

  /** Units [begin, end), from the last to the first. */
  write(end: number, begin: number): void {
    for (let index = end - 1; index >= Math.max(begin, this.#lowest); index--) {
      const before = index > this.#lowest ? this.placement.placed[index - 1] : undefined;
      this.#writePost(index);
      this.#writeSource(this.placement.placed[index] as PlacedUnit, before?.dOut);
    }
  }

  /** From dOut to dY, which overwrites y. */
  #writePost(index: number): void {
    const { unit, y, out, dOut, norm, post } = this.placement.placed[index] as PlacedUnit;
    if (y.id === out.id) {
      if (unit.storesRelu) this.builder.apply(y, dOut, -1, true);
    } else if (isFusedNorm(unit)) {
      this.builder.normBackward(post, dOut, unit.storesRelu);
    } else if (usesG(unit)) {
      const g = this.placement.gradientOfY(index);
      this.builder.postBackward(post, dOut, g);
      this.builder.apply(y, g, norm, unit.storesRelu);
    } else {
      this.builder.postBackward(post, dOut, y);
    }
  }

  /** Parameter gradients from dY, then the gradient of the input for the unit before. */
  #writeSource({ unit, y, op }: PlacedUnit, dIn: ProgramTensor | undefined): void {
    const source = unit.source;
    if (!source) return;
    if (isDense(source)) {
      if (this.offsets.trains(source)) this.#writeDenseGradients(unit, source, y, op);
      if (dIn) this.builder.denseInputGradient(op, y, this.placement.flat(dIn));
    } else if (source.spec.type === 'conv') {
      if (this.offsets.trains(source)) this.#writeConvGradients(unit, source, y, op);
      if (dIn) this.builder.convInputGradient(op, y, dIn);
    } else if (dIn) {
      this.builder.averagePoolBackward(op, y, dIn);
    }
  }

  #writeDenseGradients(unit: Unit, source: Layer, y: ProgramTensor, op: number): void {
    this.builder.denseWeightGradient(op, y);
    const bias = this.offsets.ofBias(source);
    if (bias >= 0 && this.#isBiasLost(unit)) this.builder.zeroGradient(bias, bias + y.channels);
  }

  #writeConvGradients(unit: Unit, source: Layer, y: ProgramTensor, op: number): void {
    this.builder.convWeightGradient(op, y);
    const bias = this.offsets.ofBias(source);
    if (bias < 0) return;
    if (this.#isBiasLost(unit)) this.builder.zeroGradient(bias, bias + y.channels);
    else this.builder.convBiasGradient(y, bias);
  }

  /**
   * Whether a batch norm straight behind takes away what the source's bias adds, so that its gradient is exactly 0; a
   * frozen one does not.
   */
  #isBiasLost({ post, storesRelu }: Unit): boolean {
    return post?.norm !== undefined && !storesRelu && !this.offsets.isFrozen(post.norm);
  }
}
