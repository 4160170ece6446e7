/** Frames that come over MPI, by the rank that sent them: to the connection with it, or kept until there is one. */
import { LockstepError } from '@lockstep/core/errors';
import { countOf, formatCountOf } from '@lockstep/core/text';

type Take = (parts: readonly Buffer[]) => void;

/**
 * Of one rank, before there is a connection to it. Nobody owes sums then; a few may overtake the last word of a handshake,
 * which goes another way.
 */
const MOST_EARLY = { frames: 64, bytes: 16 * 2 ** 20 };

interface Early {
  readonly frames: (readonly Buffer[])[];
  bytes: number;
  /** What came is more than is kept, and dropped. */
  isTooMuch: boolean;
}

export class RankFrames {
  readonly #takers = new Map<number, Take>();
  readonly #early = new Map<number, Early>();

  /**
   * Whoever asks last gets what a rank sends.
   *
   * @throws LockstepError LOCKSTEP_NODE_ORDER when more has come already than could be kept
   */
  listen(rank: number, take: Take): void {
    const early = this.#early.get(rank);
    this.#early.delete(rank);
    if (early?.isTooMuch) {
      const { frames, bytes } = MOST_EARLY;
      const text = `MPI rank ${rank} sent more than ${countOf(frames, 'frame')} or ${formatCountOf(bytes, 'byte')} before there was a connection to it.`;
      throw new LockstepError('LOCKSTEP_NODE_ORDER', text);
    }
    this.#takers.set(rank, take);
    for (const parts of early?.frames ?? []) take(parts);
  }

  take(rank: number, parts: readonly Buffer[]): void {
    const take = this.#takers.get(rank);
    if (take) take(parts);
    else this.#keep(rank, parts);
  }

  /** Bytes that are kept of all ranks. */
  get keptBytes(): number {
    return [...this.#early.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #keep(rank: number, parts: readonly Buffer[]): void {
    const early = this.#early.get(rank) ?? { frames: [], bytes: 0, isTooMuch: false };
    this.#early.set(rank, early);
    if (early.isTooMuch) return;
    early.frames.push(parts);
    early.bytes += parts.reduce((sum, { length }) => sum + length, 0);
    if (early.frames.length <= MOST_EARLY.frames && early.bytes <= MOST_EARLY.bytes) return;
    early.frames.length = 0;
    early.bytes = 0;
    early.isTooMuch = true;
  }
}
