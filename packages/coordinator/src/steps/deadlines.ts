/** Until when a node must have done its part of a step: many times what it took before. */
import { COORDINATOR_ID } from '@lockstep/core/seams';
import type { Assignment } from '@lockstep/core/wire';
import { sizeOf } from './shares/assignment.js';
import type { ToldStep } from './told-steps.js';

/** Nobody is late before this, */
const LEAST_MS = 5000;
/** nor before this many times the longest part of late; */
const PATIENCE = 10;
/** a node's first step takes longer: threads start, code is compiled. It has so much more time whenever it says that its kernels go on. */
const FIRST_PATIENCE = 6;
/** However slow it was: nobody has longer than this many times what the others take, */
const CEILING = 100;
/** or, where there are no others, than this, and in its first step so long for each sample. */
const LONGEST_MS = 600_000;
const SAMPLE_MS = 62.5;
const NEWEST = 0.1;
/** What a node takes is believed to grow so many times from one step to the next. */
const GROWTH = 2;

export class Deadlines {
  /** Between two looks. */
  readonly pollMs: number;
  readonly #leastMs = Number(process.env['LOCKSTEP_NODE_DEADLINE_MS'] ?? LEAST_MS);
  /** Usual milliseconds from the beginning of a step until a node's contribution is known, of each node. */
  readonly #usualMs = new Map<number, number>();

  /** @param shardSize samples of a shard */
  constructor(private readonly shardSize = 16) {
    this.pollMs = Math.max(10, Math.min(100, this.#leastMs / 5));
  }

  /**
   * A node has computed its shards. Only who has any of an attempt is believed: a time that was counted from another's
   * beginning would be a deadline of minutes.
   *
   * @returns whether that is believed, and was not known
   */
  noteContributed({ assignment, contributedMs, beganMs }: ToldStep, node: number): boolean {
    if (contributedMs.has(node) || sizeOf(assignment, node) === 0) return false;
    const now = performance.now();
    const ms = now - beganMs;
    contributedMs.set(node, now);
    const usual = this.#usualMs.get(node);
    const longest = usual === undefined ? ms : Math.min(ms, GROWTH * Math.max(usual, this.#leastMs / PATIENCE));
    this.#usualMs.set(node, usual === undefined ? ms : Math.max(longest, usual + NEWEST * (longest - usual)));
    return true;
  }

  /** The keeper has computed its shards, if it has any: a measure for others. */
  noteOwn(assignment: Assignment, ms: number): void {
    if (sizeOf(assignment, COORDINATOR_ID) > 0) this.#usualMs.set(COORDINATOR_ID, ms);
  }

  /** Milliseconds that a node has for its shards of a step. */
  limitMs(node: number, { assignment, beganMs, atWorkMs }: ToldStep): number {
    const usual = this.#usualMs.get(node);
    const firstMs = FIRST_PATIENCE * this.#leastMs;
    const others = [...this.#usualMs].filter(([other]) => other !== node).map(([, ms]) => ms);
    const measured = Math.max(firstMs, CEILING * medianOf(others));
    if (usual !== undefined) {
      return Math.min(others.length === 0 ? LONGEST_MS : measured, Math.max(this.#leastMs, PATIENCE * usual));
    }
    const longest = Math.max(LONGEST_MS, SAMPLE_MS * this.shardSize * sizeOf(assignment, node));
    const workedMs = Math.max(0, (atWorkMs.get(node) ?? beganMs) - beganMs);
    return Math.min(others.length === 0 ? longest : measured, workedMs + firstMs);
  }

  /** Milliseconds that a step may wait for the state of a node that joins: no limit where nobody has computed yet, or is left. */
  get stateMs(): number {
    const usual = [...this.#usualMs.values()];
    return usual.length === 0 ? Number.POSITIVE_INFINITY : Math.max(this.#leastMs, PATIENCE * medianOf(usual));
  }

  /** It is gone: its times are no measure for others. */
  forget(node: number): void {
    this.#usualMs.delete(node);
  }

  /**
   * Who is late: who has not contributed in time, and whoever the keeper waits for although everybody has.
   *
   * @param waitsFor nodes of which something is still to come here
   */
  findLate(told: ToldStep, nodes: readonly number[], waitsFor: readonly number[]): number[] {
    const { assignment, beganMs, contributedMs } = told;
    const now = performance.now();
    const members = assignment.members.map(({ node }) => node);
    const computing = members.filter((node) => node !== COORDINATOR_ID && nodes.includes(node));
    const limitMs = (node: number): number => this.limitMs(node, told);
    const silent = computing.filter((node) => !contributedMs.has(node) && now - beganMs > limitMs(node));
    if (silent.length > 0) return silent;
    if (!computing.every((node) => contributedMs.has(node))) return [];
    const lastMs = Math.max(beganMs, ...computing.map((node) => contributedMs.get(node) as number));
    const slow = Math.max(0, ...computing.map(limitMs));
    // its own limit too: where the keeper alone computes, a node still has to apply the step
    const isLate = (node: number): boolean => now - lastMs > 2 * Math.max(slow, limitMs(node));
    return waitsFor.filter((node) => nodes.includes(node) && isLate(node));
  }
}

/** Of no values 0. */
const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
