/**
 * Who has broken rules, by name and by address: whoever is sent away can call himself otherwise, at the same address.
 *
 * | who comes | is let in | gets shards |
 * |---|---|---|
 * | from an address without strikes | at once | at once |
 * | by a name that was struck three times there | never | |
 * | by a name that was compared there before, and agreed, and was never struck | at once | at once |
 * | by any other name, from an address that has strikes | after a pause that doubles with each strike | after its first comparison has agreed |
 *
 * So a liar can take part for some steps once; from then on the run goes back for nobody from there who has not kept the
 * state for a while, and ever less often for who has.
 */
import { LockstepError } from '@lockstep/core/errors';
import { formatDuration } from '@lockstep/core/text';
import { nodeKey } from './remote-node.js';

/** Rules that a name may break before it is not let in again. */
const STRIKES = 3;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 600_000;
/** Names that are remembered for having agreed: the run goes on without knowing more of them. */
const MOST_AGREED = 1024;

/** Whose conduct it is. */
export interface Claimant {
  /** Without the port. */
  readonly host: string;
  /** What it calls itself. */
  readonly saidName: string;
}

export class Conduct {
  readonly #ofName = new Map<string, number>();
  readonly #ofHost = new Map<string, { strikes: number; lastMs: number }>();
  readonly #agreed = new Set<string>();

  /** @param now in milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** It has broken a rule. */
  strike(who: Claimant): void {
    const key = keyOf(who);
    this.#ofName.set(key, (this.#ofName.get(key) ?? 0) + 1);
    const strikes = (this.#ofHost.get(who.host)?.strikes ?? 0) + 1;
    this.#ofHost.set(who.host, { strikes, lastMs: this.now() });
  }

  /** A comparison of its replica has agreed. */
  agree(who: Claimant): void {
    if (this.#agreed.size < MOST_AGREED) this.#agreed.add(keyOf(who));
  }

  /** Whether it gets no shards before its replica was compared. */
  isOnProbation(who: Claimant): boolean {
    return this.#ofHost.has(who.host) && !this.#isKnownGood(who);
  }

  /** @throws LockstepError LOCKSTEP_NODE_BANNED, LOCKSTEP_NODE_PAUSE when it is not let in, or not yet */
  check(who: Claimant): void {
    if ((this.#ofName.get(keyOf(who)) ?? 0) >= STRIKES) {
      const text = `${who.saidName} at ${who.host} broke the rules ${STRIKES} times and is not let in again.`;
      throw new LockstepError('LOCKSTEP_NODE_BANNED', text);
    }
    const waitMs = this.#isKnownGood(who) ? 0 : this.#pauseMs(who.host);
    if (waitMs <= 0) return;
    throw new LockstepError(
      'LOCKSTEP_NODE_PAUSE',
      `rules were broken from ${who.host}: nobody new from there is let in for ${formatDuration(waitMs / 1000)}.`,
    );
  }

  #isKnownGood(who: Claimant): boolean {
    return this.#agreed.has(keyOf(who)) && !this.#ofName.has(keyOf(who));
  }

  /** Until the pause after the last strike is over. */
  #pauseMs(host: string): number {
    const struck = this.#ofHost.get(host);
    if (struck === undefined) return 0;
    const { strikes, lastMs } = struck;
    return lastMs + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (strikes - 1)) - this.now();
  }
}

const keyOf = ({ host, saidName }: Claimant): string => nodeKey(host, saidName);
