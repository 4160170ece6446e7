/**
 * Two kinds of failure. `LockstepError`: the outside world (bad input, a lost
 * file, a peer that broke the protocol); it has a stable code, listed in
 * docs/errors.md. `assert`: a broken invariant, that is a bug of ours.
 */

/** A failure of the outside world. The message says what happened, with which values, and what to do. */
export class LockstepError extends Error {
  override readonly name = 'LockstepError';

  /**
   * @param code stable, UPPER_CASE, starts with LOCKSTEP_
   * @param text one line without the code; where a sentence is put into another one, one full stop of two stays
   */
  constructor(
    readonly code: `LOCKSTEP_${string}`,
    text: string,
    options?: ErrorOptions,
  ) {
    const sentences = text.replace(/(?<![./\\ ])\.\.(?= [A-Z]|$)/g, '.');
    super(`${code}: ${sentences}`, options);
    this.text = sentences;
  }

  /** One line without the code; `message` is `code: text`. */
  readonly text: string;
}

/** Throws when an invariant of Lockstep itself is broken. The text is only built when it fails. */
export function assert(condition: unknown, text: () => string): asserts condition {
  if (!condition) throw new Error(`Lockstep invariant broken (please report): ${text()}`);
}
