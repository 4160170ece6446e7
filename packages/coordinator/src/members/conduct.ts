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
 * Each hour in which a node takes part, and its replica is compared and right, takes one of its strikes back, and one of its
 * address; a person can take back all of them (`pardon`).
 *
 * So a liar can take part for some steps once; from then on the run goes back for nobody from there who has not kept the
 * state for a while, and ever less often for who has.
 */
import { isLoopbackHost } from '@lockstep/core/door';
import { LockstepError } from '@lockstep/core/errors';
import { formatDuration } from '@lockstep/core/text';
import { nodeKey } from './remote-node.js';

/** Rules that a name may break before it is not let in again. */
const STRIKES = 3;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 600_000;
/** A strike is forgotten so long after the last one, if the node takes part and its replica is right. */
const FADE_MS = 3_600_000;
/** Names, and addresses, that are remembered for having broken rules: those of the last strikes. */
const MOST_STRUCK = 4096;
/** Names that are remembered for having agreed: the run goes on without knowing more of them. */
const MOST_AGREED = 1024;

/** Whose conduct it is. */
export interface Claimant {
  /** Without the port. */
  readonly host: string;
  /** What it calls itself. */
  readonly saidName: string;
}

/** What somebody is known for who broke rules, the last of them with its code and text. */
export interface Struck extends Claimant {
  readonly strikes: number;
  readonly code: string;
  readonly reason: string;
}

/** Of a name or of an address, and when the last one was counted, or forgotten. */
interface Count {
  readonly strikes: number;
  readonly lastMs: number;
}

export class Conduct {
  readonly #ofName = new Map<string, Struck & Count>();
  readonly #ofHost = new Map<string, Count>();
  readonly #agreed = new Set<string>();

  /** @param now in milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** It has broken a rule. */
  strike({ host, saidName }: Claimant, { code, text }: Pick<LockstepError, 'code' | 'text'>): void {
    const key = nodeKey(host, saidName);
    remember(this.#ofName, key, { host, saidName, code, reason: text, ...this.#oneMore(this.#ofName.get(key)) });
    remember(this.#ofHost, host, this.#oneMore(this.#ofHost.get(host)));
  }

  #oneMore(before: Count | undefined): Count {
    return { strikes: (before?.strikes ?? 0) + 1, lastMs: this.now() };
  }

  /** Those that broke rules, and how often. */
  list(): (Struck & { readonly isBanned: boolean })[] {
    return [...this.#ofName.values()].map(({ host, saidName, strikes, code, reason }) => ({
      ...{ host, saidName, strikes, code, reason },
      isBanned: strikes >= STRIKES,
    }));
  }

  /**
   * Takes back all strikes of nodes that call themselves so, or that come from this address.
   *
   * @param by address of who asks: no liar pardons himself
   * @returns how many nodes that are
   * @throws LockstepError LOCKSTEP_NODE_BANNED when that has strikes, and is not this machine
   */
  pardon(nameOrHost: string, by: string): number {
    if (this.#ofHost.has(by) && !isLoopbackHost(by)) {
      const text = `rules were broken from ${by}, so nobody is pardoned from there. Say it on another machine, such as the coordinator's.`;
      throw new LockstepError('LOCKSTEP_NODE_BANNED', text);
    }
    const found = [...this.#ofName].filter(([, { host, saidName }]) => host === nameOrHost || saidName === nameOrHost);
    for (const [key, { host, strikes }] of found) {
      this.#ofName.delete(key);
      this.#lessen(this.#ofHost, host, strikes);
    }
    return found.length;
  }

  #lessen<T extends Count>(counts: Map<string, T>, key: string, strikes: number): void {
    const before = counts.get(key);
    if (before === undefined) return;
    if (before.strikes <= strikes) counts.delete(key);
    else counts.set(key, { ...before, strikes: before.strikes - strikes, lastMs: this.now() });
  }

  /** A comparison of its replica has agreed. */
  agree(who: Claimant): void {
    const key = keyOf(who);
    if (this.#agreed.size < MOST_AGREED) this.#agreed.add(key);
    // good conduct makes up for what is long ago
    if (this.#isLongAgo(this.#ofName.get(key))) this.#lessen(this.#ofName, key, 1);
    if (this.#isLongAgo(this.#ofHost.get(who.host))) this.#lessen(this.#ofHost, who.host, 1);
  }

  #isLongAgo(count: Count | undefined): boolean {
    return count !== undefined && this.now() - count.lastMs >= FADE_MS;
  }

  /** Whether it gets no shards before its replica was compared. */
  isOnProbation(who: Claimant): boolean {
    return this.#ofHost.has(who.host) && !this.#isKnownGood(who);
  }

  /** @throws LockstepError LOCKSTEP_NODE_BANNED, LOCKSTEP_NODE_PAUSE when it is not let in, or not yet */
  check(who: Claimant): void {
    if ((this.#ofName.get(keyOf(who))?.strikes ?? 0) >= STRIKES) {
      const text = `${who.saidName} at ${who.host} broke the rules ${STRIKES} times and is not let in again, unless \`lockstep peers --pardon\` says so.`;
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

function remember<V>(struck: Map<string, V>, key: string, value: V): void {
  struck.delete(key);
  struck.set(key, value);
  const [oldest] = struck.keys();
  if (struck.size > MOST_STRUCK && oldest !== undefined) struck.delete(oldest);
}
