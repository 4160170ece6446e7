/** Where a layer's tensors stand in the contribution, and which of them a run trains. */
import { assert } from '@lockstep/core/errors';
import type { Layer } from '@lockstep/core/model';
import { type ContributionLayout, type Freeze, listRounded, planFreeze, type Region } from '@lockstep/core/run';
import type { Recipe } from '@lockstep/core/spec';
import type { OutputSpan, ProgramBuilder } from '@lockstep/kernels';

export class Offsets {
  readonly #freeze: Freeze;

  constructor(
    private readonly layout: ContributionLayout,
    private readonly recipe: Recipe,
    private readonly layers: readonly Layer[],
  ) {
    this.#freeze = planFreeze(layers, recipe.freeze);
  }

  get result(): number {
    return this.layout.resultOffset;
  }

  isFrozen(layer: Layer): boolean {
    return this.#freeze.isLayerFrozen(layer);
  }

  trains(layer: Layer | undefined): boolean {
    return layer !== undefined && layer.parameters.length > 0 && !this.isFrozen(layer);
  }

  ofWeight(layer: Layer): number {
    return this.#find(layer, 'weight');
  }

  /** -1 for a layer without a bias. */
  ofBias(layer: Layer): number {
    const { spec } = layer;
    return (spec.type === 'conv' || spec.type === 'linear') && spec.bias ? this.#find(layer, 'bias') : -1;
  }

  ofNorm(layer: Layer): { gamma: number; beta: number; statistics: number } {
    const [gamma, beta, statistics] = ['gamma', 'beta', 'statistics'].map((role) => this.#find(layer, role));
    return { gamma, beta, statistics } as { gamma: number; beta: number; statistics: number };
  }

  /** What a program has to write, each once: everything but what belongs to frozen layers. */
  listOutputs(): OutputSpan[] {
    const written = this.layout.regions.filter(
      (region) => region.kind === 'result' || this.trains(this.layers[region.layerIndex]),
    );
    return written.map(({ offset, size }) => ({ begin: offset, end: offset + size }));
  }

  /** What the recipe rounds to bf16. */
  writeRounding(builder: ProgramBuilder): void {
    const rounded = listRounded(this.layout, this.recipe);
    if (rounded.length > 0) builder.round(rounded);
  }

  #find(layer: Layer, role: string): number {
    const region = this.layout.regions.find(
      (s) => layerOf(s) === layer.index && (s.kind === 'parameter' ? s.parameter.role === role : s.kind === role),
    );
    assert(region, () => `layer ${layer.index} has no ${role} in the contribution`);
    return region.offset;
  }
}

/** The layer that a region belongs to; the result stands behind all of them. */
export const layerOf = (region: Region): number =>
  region.kind === 'result' ? Number.MAX_SAFE_INTEGER : region.layerIndex;
