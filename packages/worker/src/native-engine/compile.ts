/**
 * The compiler: a model under a recipe becomes a program of kernel calls. Its story is told in five files:
 *
 *   units.ts         layers become units: a source, and the pass behind it
 *   unit-tensors.ts  units get tensors; who owns a gradient
 *   forward.ts       the ops from images to logits
 *   backward.ts      the ops back
 *   compile.ts       the stages that these stand in
 *
 * A model whose dense layers are large runs in three stages: shard by shard up to the first of them, all shards of a
 * wave at once through the rest and back (so that the weights are read once per wave), shard by shard to the start.
 * Other models run each shard forward and backward in one go, so that its activations stay in cache.
 */

import { elementCount, type Layer } from '@lockstep/core/model';
import type { ContributionLayout } from '@lockstep/core/run';
import type { Recipe } from '@lockstep/core/spec';
import { BLOCK, ProgramBuilder } from '@lockstep/kernels';
import { BackwardWriter } from './backward.js';
import { ForwardWriter, type PixelStatistics } from './forward.js';
import { layerOf, Offsets } from './offsets.js';
import { dropoutOf, Placement } from './unit-tensors.js';
import { formUnits, isDense, type Unit } from './units.js';

/** Weights from which a dense layer is worth a wave stage. */
const LARGE_DENSE_WEIGHTS = 16_384;
/** Shards in a wave: bounds what is kept between the stages. */
const WAVE_SHARDS = 8;

export interface CompileOptions {
  readonly layers: readonly Layer[];
  readonly layout: ContributionLayout;
  readonly recipe: Recipe;
  readonly normalization: PixelStatistics;
}

export interface CompiledProgram {
  readonly code: Int32Array;
  /** Shards that the program takes at once. */
  readonly waveShards: number;
  /** Floats of a contribution from here on are final before the program's last stage; its length if that writes them all. */
  readonly tailAt: number;
}

/** Compiles a model under a recipe for the native kernels. */
export function compile({ layers, layout, recipe, normalization }: CompileOptions): CompiledProgram {
  const units = formUnits(layers, (layer) => dropoutOf(layer, recipe));
  const firstLarge = units.findIndex(isLargeDense);
  const hasTail = firstLarge >= 0;
  const tail = hasTail ? firstLarge : units.length;
  const tailAt = findTail(layout, units[tail]);
  const waveShards = hasTail ? WAVE_SHARDS : 1;
  const offsets = new Offsets(layout, recipe, layers);
  const builder = new ProgramBuilder(waveShards, recipe.shardSize / BLOCK);
  const placement = new Placement(builder, units, tail, (layers[0] as Layer).input, recipe, offsets);
  const forward = new ForwardWriter(builder, placement, offsets);
  const backward = new BackwardWriter(builder, placement, offsets);

  builder.stage(false, false);
  forward.writeInput(recipe.augmentation, normalization);
  forward.write(0, tail);
  if (hasTail) {
    builder.stage(true, false);
    forward.write(tail, units.length);
  }
  builder.loss(placement.logits, offsets.result, recipe.labelSmoothing ?? 0);
  builder.stage(hasTail, true);
  backward.write(units.length, hasTail ? tail : 0);
  if (hasTail) {
    builder.stage(false, true);
    backward.write(tail, 0);
  }
  return { code: builder.finish(tailAt, offsets.listOutputs()), waveShards, tailAt };
}

/** Where the contribution of the wave stage begins, which is the floats that shard stages write; the end if there is none. */
function findTail(layout: ContributionLayout, firstOfTail: Unit | undefined): number {
  const first = firstOfTail?.source?.index;
  const region = first === undefined ? undefined : layout.regions.find((s) => layerOf(s) >= first);
  return region?.offset ?? layout.length;
}

/** As in the program that `compile` writes. */
export function tailOf(layers: readonly Layer[], layout: ContributionLayout, recipe: Recipe): number {
  const units = formUnits(layers, (layer) => dropoutOf(layer, recipe));
  return findTail(layout, units.find(isLargeDense));
}

const isLargeDense = ({ source }: Unit): boolean =>
  source !== undefined && isDense(source) && elementCount(source.input) * source.output.channels >= LARGE_DENSE_WEIGHTS;
