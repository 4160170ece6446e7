/** Third part of the compiler: the ops that take images to logits. */
import type { ProgramAugmentation, ProgramBuilder } from '@lockstep/kernels';
import type { Offsets } from './offsets.js';
import type { PlacedUnit, Placement } from './unit-tensors.js';
import { isDense } from './units.js';

/** Per channel: mean and standard deviation of pixels as fractions. */
export interface PixelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export class ForwardWriter {
  constructor(
    private readonly builder: ProgramBuilder,
    private readonly placement: Placement,
    private readonly offsets: Offsets,
  ) {}

  writeInput(augmentation: ProgramAugmentation, { mean, std }: PixelStatistics): void {
    const normalization = mean.map((m, c) => {
      const s = std[c] as number;
      return { scale: 1 / (255 * s), shift: -m / s };
    });
    this.builder.input(this.placement.image, augmentation, normalization);
  }

  /** Units [begin, end), in order. */
  write(begin: number, end: number): void {
    for (const placed of this.placement.placed.slice(begin, end)) {
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
      const [weight, bias] = [this.offsets.ofWeight(source), this.offsets.ofBias(source)];
      placed.op = this.builder.dense(this.placement.flat(input), y, weight, bias);
    } else if (spec.type === 'conv') {
      const [weight, bias] = [this.offsets.ofWeight(source), this.offsets.ofBias(source)];
      placed.op = this.builder.conv(input, y, weight, bias, spec, unit.storesRelu);
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
}
