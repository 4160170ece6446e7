/**
 * One attempt at a step: everybody is told what to do, the keeper does its part, and the attempt ends when the step is
 * done, or when something goes wrong and the step is to be begun again.
 */

import { LockstepError } from '@lockstep/core/errors';
import { canonicalPartials, type ShardRange } from '@lockstep/core/run';
import { COORDINATOR_ID, type StepOutcome, type StepParticipant, SupersededError } from '@lockstep/core/seams';
import { fixed } from '@lockstep/core/text';
import { type Assignment, isAmongNodes } from '@lockstep/core/wire';
import type { Membership } from '../members/membership.js';
import type { Deadlines } from './deadlines.js';
import type { ToldStep } from './told-steps.js';

/** How an attempt ended. */
export type Verdict =
  | { readonly kind: 'done'; readonly outcome: StepOutcome }
  /** `needsStar`: nodes wait for each other or accuse each other, and only a star shows who is at fault. */
  | { readonly kind: 'again'; readonly needsStar: boolean };

export class Attempt {
  #settle: (verdict: Verdict) => void = () => {};
  #wake: () => void = () => {};
  #isEnded = false;

  constructor(
    readonly told: ToldStep,
    /** Partials of others that the keeper computes too. */
    readonly audits: readonly ShardRange[],
    private readonly membership: Membership,
    private readonly participant: StepParticipant,
    private readonly deadlines: Deadlines,
  ) {}

  get assignment(): Assignment {
    return this.told.assignment;
  }

  /** Nodes whose sums the keeper computes too. */
  get audited(): number[] {
    const { members } = this.assignment;
    return this.audits.flatMap(({ begin }) =>
      members.filter(({ range }) => range.begin <= begin && begin < range.end).map(({ node }) => node),
    );
  }

  /** Whether the keeper computes all sums of the step, those of others too. */
  get isConfirmed(): boolean {
    const others = this.assignment.members.filter(({ node }) => node !== COORDINATOR_ID);
    const sums = others.flatMap(({ range }) => canonicalPartials(range));
    return !this.isAmongNodes && sums.length === this.audits.length;
  }

  /** Whether nodes send sums to each other. */
  get isAmongNodes(): boolean {
    return isAmongNodes(this.assignment);
  }

  /** The nodes have been told. */
  async run(): Promise<Verdict> {
    this.told.beganMs = performance.now();
    const ended = new Promise<Verdict>((resolve) => {
      this.#settle = resolve;
    });
    const watch = setInterval(() => this.#checkDeadlines(), this.deadlines.pollMs);
    try {
      return await Promise.race([this.#finish(), ended]);
    } finally {
      clearInterval(watch);
      this.#settle = () => {};
      this.#wake = () => {};
    }
  }

  /** The step is to be begun again. @returns false where that was so already */
  end(needsStar = false): boolean {
    const isFirst = !this.#isEnded;
    this.#isEnded = true;
    this.#settle({ kind: 'again', needsStar });
    return isFirst;
  }

  /** A node has applied a step. */
  noteApplied(): void {
    this.#wake();
  }

  async #finish(): Promise<Verdict> {
    try {
      const outcome = await this.participant.run(this.assignment, this.audits);
      while (this.#listApplying().length > 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      return { kind: 'done', outcome };
    } catch (error) {
      if (error instanceof SupersededError) return { kind: 'again', needsStar: false };
      throw error;
    }
  }

  /**
   * Nodes that have yet to apply it, before it is done: others' sums may be needed until everybody has theirs. A star may be
   * one step ahead of the slowest.
   */
  #listApplying(): number[] {
    const { step, withHash } = this.assignment;
    if (!this.isAmongNodes && !withHash) return this.membership.listBehind(step);
    const nodes = [...this.membership.nodes.values()].filter(
      ({ id, hasState }) => hasState && !this.told.applied.has(id),
    );
    return nodes.map(({ id }) => id);
  }

  #checkDeadlines(): void {
    const { told, assignment, deadlines, membership } = this;
    const waitsFor = [...this.participant.waitsFor(), ...this.#listApplying()];
    const late = deadlines.findLate(told, [...membership.nodes.keys()], waitsFor);
    if (late.length === 0) return;
    if (this.isAmongNodes && late.every((id) => told.contributedMs.has(id))) {
      this.end(true);
      return;
    }
    for (const id of late) {
      const text = `it did not finish step ${assignment.step} within ${fixed(deadlines.limitMs(id, told) / 1000, 1)} s; its shards are computed elsewhere.`;
      membership.evict(id, new LockstepError('LOCKSTEP_NODE_STALLED', text));
    }
  }
}
