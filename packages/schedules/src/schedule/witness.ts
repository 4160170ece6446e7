/** Sees what happens in a schedule, and says what must not be. */
import type { NodeEvent, StepSpan } from '@lockstep/core/events';
import { fixed, formatCount, formatCountOf } from '@lockstep/core/text';
import type { CalmHashes } from './calm.js';

/** Rules that a node may break before it is not let in again (coordinator/members). */
const STRIKES = 3;
/** Codes of rules that a node breaks, not its link. */
const RULES = new Set([
  'LOCKSTEP_NODE_AUDIT',
  'LOCKSTEP_NODE_CONTRIBUTION',
  'LOCKSTEP_NODE_ORDER',
  'LOCKSTEP_NODE_REPLICA',
]);

/** What nodes are told that are held to be at fault. */
const BLAMES = new Set<NodeEvent['event']>(['node-refused', 'node-doubted', 'node-evicted']);

export class Witness {
  /** One line for everything that happened, if they are asked for. */
  readonly lines: string[] = [];
  /** What did not hold first; undefined: all held so far. */
  fault: string | undefined;
  /** Steps that are committed. */
  committed = 0;
  /** Faults that came to pass, by their kind. */
  readonly injected = new Map<string, number>();
  /** How often who was sent away, by the coordinator that is there. */
  readonly #sentAway = new Map<string, number>();
  #highest = 0;
  /** Of all coordinators that there were: what one said before it died may arrive when the next is there. */
  #highestEver = 0;
  /** Of the steps that stand, those after which the hash was not the calm run's. */
  readonly #wrong = new Set<number>();

  constructor(
    private readonly nowMs: () => number,
    private readonly calm: CalmHashes,
    private readonly options: {
      readonly isTold: boolean;
      readonly hasLiars: boolean;
      /** Whether a liar may go unseen: then the end of the run has to say in which steps. */
      readonly mayDoubt: boolean;
    },
  ) {}

  /** @param error what was thrown, if it was */
  fail(what: string, error?: unknown): void {
    const why = error instanceof Error ? (error.stack ?? error.message) : error;
    const text = error === undefined ? what : `${what}: ${why}`;
    this.tell('FAULT', text);
    this.fault ??= text;
  }

  tell(who: string, text: string): void {
    if (this.options.isTold) this.lines.push(`${fixed(this.nowMs(), 3).padStart(12)} ${who}: ${text}`);
  }

  /** A fault has come to pass. */
  inject(kind: string, who: string, text: string): void {
    this.tell(who, text);
    this.injected.set(kind, (this.injected.get(kind) ?? 0) + 1);
  }

  /** A coordinator begins, or another one in its place, after so many steps. */
  beginCoordinator(steps: number): void {
    this.#sentAway.clear();
    this.#highest = steps;
  }

  /** Each step is committed after the one before it, and to the calm run's bits. */
  seeCommit(steps: number, hash: string): void {
    this.tell('coordinator', `step ${steps} is committed`);
    if (steps > this.#highest + 1) this.fail(`step ${steps} was committed after ${this.#highest}`);
    this.#highest = Math.max(this.#highest, steps);
    this.#highestEver = Math.max(this.#highestEver, steps);
    this.committed = steps;
    for (const later of this.#wrong) if (later >= steps) this.#wrong.delete(later);
    if (hash === this.calm.get(steps)) return;
    this.#wrong.add(steps);
    if (!this.options.mayDoubt) this.fail(`another hash than the calm run's after step ${steps}`);
  }

  /** What is wrong at the end began in a step that is said to be in doubt. */
  seeResult(doubted: readonly StepSpan[]): void {
    this.tell('coordinator', `in doubt are ${JSON.stringify(doubted)}`);
    if (!this.#wrong.has(this.committed)) return;
    const step = Math.min(...this.#wrong) - 1;
    this.inject('told doubt', 'world', `the result is wrong since step ${step}`);
    if (!doubted.some(({ firstStep, endStep }) => firstStep <= step && step < endStep))
      this.fail(`the result is wrong since step ${step}, and nobody says so`);
  }

  /** An honest node may have applied the step that is under way, and no more. */
  seeApplied(name: string, step: number): void {
    if (step > this.#highestEver) this.fail(`${name} has applied step ${step}, and ${this.#highestEver} are committed`);
  }

  /** Of one sender no more is kept before its time than it owes. */
  seeKept(name: string, { bytes, most }: { readonly bytes: number; readonly most: number }): void {
    if (bytes > most)
      this.fail(`${name} keeps ${formatCountOf(bytes, 'byte')} of one sender, at most ${formatCount(most)}`);
  }

  /** For one node no more waits to leave than is owed to it. */
  seeSent(name: string, bytes: number, most: number): void {
    if (bytes > most)
      this.fail(`${name} has ${formatCountOf(bytes, 'byte')} on their way to one node, at most ${formatCount(most)}`);
  }

  /** Nobody is blamed for nothing; who has broken rules as often as is borne is not let in again. */
  seeEvent(event: NodeEvent): void {
    const { event: kind, ...rest } = event;
    this.tell('coordinator', `${kind} ${JSON.stringify(rest)}`);
    if (BLAMES.has(kind) && this.injected.size === 0)
      this.fail(`nothing has happened yet, and ${kind} ${JSON.stringify(rest)}`);
    if (event.event !== 'node-evicted' || !RULES.has(event.code)) return;
    if (!this.options.hasLiars) this.fail(`nobody lies, and ${event.node} broke a rule: ${event.code}`);
    const name = event.node.replace(/#.*/, '');
    const times = (this.#sentAway.get(name) ?? 0) + 1;
    this.#sentAway.set(name, times);
    if (times > STRIKES) this.fail(`${name} was sent away ${times} times for breaking rules`);
  }
}
