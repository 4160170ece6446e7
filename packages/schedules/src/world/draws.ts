/** Random draws from a seed: the same seed, the same draws, in the order in which they are asked for. */
import { encryptCounter } from '@lockstep/core/math';

const TWO_32 = 2 ** 32;

export class Draws {
  #index = 0;
  readonly #block = new Uint32Array(4);

  /** @param stream draws that do not depend on how many another stream gave */
  constructor(
    private readonly seed: number,
    private readonly stream: number,
  ) {}

  /** A whole number of 32 bits, from 0. */
  word(): number {
    this.#block.set([this.#index++, this.stream, 0, 0]);
    encryptCounter(this.seed >>> 0, Math.floor(this.seed / TWO_32), this.#block);
    return this.#block[0] as number;
  }

  /** From [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * (this.word() / TWO_32);
  }

  /** A whole number from 0 up to, not including, `count`. */
  below(count: number): number {
    return Math.floor(this.between(0, count));
  }

  chance(probability: number): boolean {
    return this.between(0, 1) < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}
