/**
 * Sums that come before their step begins here: in a mesh others may begin earlier. Of each sender no more is kept than it can
 * owe in two attempts, the newest two that it speaks of; it goes with the sender.
 */
import { LockstepError } from '@lockstep/core/errors';
import { countOf } from '@lockstep/core/text';
import type { Frame, MessageOf } from '@lockstep/core/wire';

/** The step that others are in, and the next. */
const ATTEMPTS = 2;

export class EarlySums {
  /** By sender, then by generation, in the order in which they came. */
  readonly #kept = new Map<number, Map<number, Frame[]>>();

  /** @param most frames, and bytes of their payloads, that one sender owes in one attempt at the most */
  constructor(private readonly most: { readonly frames: number; readonly bytes: number }) {}

  /** @throws LockstepError LOCKSTEP_NODE_CONTRIBUTION when it is more than the sender owes */
  keep(from: number, frame: Frame): void {
    const { generation } = frame.message as MessageOf<'partial' | 'reduced'>;
    const attempts = this.#kept.get(from) ?? new Map<number, Frame[]>();
    this.#kept.set(from, attempts);
    const frames = attempts.get(generation) ?? [];
    const bytes = frames.reduce((sum, { payload }) => sum + payload.length, frame.payload.length);
    if (frames.length >= this.most.frames || bytes > this.most.bytes) {
      const owed = `${countOf(this.most.bytes, 'byte')} in ${countOf(this.most.frames, 'message')}`;
      const text = `it sent more than ${owed} for a step that has not begun.`;
      throw new LockstepError('LOCKSTEP_NODE_CONTRIBUTION', text);
    }
    attempts.set(generation, [...frames, frame]);
    if (attempts.size > ATTEMPTS) attempts.delete(Math.min(...attempts.keys()));
  }

  /** What came for this attempt, which is begun; what came for those before it is not needed any more. */
  take(generation: number): { readonly from: number; readonly frame: Frame }[] {
    const taken: { from: number; frame: Frame }[] = [];
    for (const [from, attempts] of this.#kept) {
      for (const frame of attempts.get(generation) ?? []) taken.push({ from, frame });
      for (const other of attempts.keys()) if (other <= generation) attempts.delete(other);
    }
    return taken;
  }

  /** The connection to a sender is lost. */
  forget(from: number): void {
    this.#kept.delete(from);
  }

  /** Bytes of payloads that are kept of one sender at the most. */
  get mostBytes(): number {
    return ATTEMPTS * this.most.bytes;
  }

  /** Bytes of payloads that are kept of the sender of whom most is kept. */
  get bytes(): number {
    let most = 0;
    for (const attempts of this.#kept.values()) {
      let bytes = 0;
      for (const frames of attempts.values()) for (const { payload } of frames) bytes += payload.length;
      most = Math.max(most, bytes);
    }
    return most;
  }
}
