/**
 * Where a run goes back to when a node is found lying: to the newest state from before that node took part.
 *
 * With --audit the state is kept at each join, until the nodes that took part since then are checked or gone. A node is
 * checked when its replica was equal in a comparison, and a partial that it sent was computed again and was equal, both
 * since it joined. At most two states are kept; of three the one goes from which the way to the state before it is
 * shortest. The state that the run began with needs no memory: it is made again. So there is always a way back, and the
 * result is that of a run in which the node never was. Without --audit nothing is kept and no way is gone: then it is told
 * which steps hold sums of such a node.
 *
 * A node is known by its address and what it calls itself, so that what it did before it came again counts.
 */
import type { DoubtedSteps, NodeEvent } from '@lockstep/core/events';
import type { NodeSnapshot } from '@lockstep/core/seams';
import type { RemoteNode } from '../../members/remote-node.js';

/** Why a node is sent away that computes otherwise than the coordinator: nothing that it sent is to be trusted. */
const LIES: ReadonlySet<string> = new Set([
  'LOCKSTEP_NODE_AUDIT',
  'LOCKSTEP_NODE_CONTRIBUTION',
  'LOCKSTEP_NODE_REPLICA',
]);
const MOST_STATES = 2;
/** Nodes that are gone and still known. */
const MOST_GONE = 1024;

interface Contributor {
  readonly name: string;
  /** The first step that it had a part in, of those that stand. */
  firstStep: number;
  /** Ids under which it takes part now. */
  readonly here: Set<number>;
  isCompared: boolean;
  isAudited: boolean;
}

export interface WayBackOptions {
  /** Whether shards are computed twice. */
  readonly isAuditing: boolean;
  readonly epochSteps: number;
  readonly emit: (event: NodeEvent) => void;
}

type Joining = Pick<RemoteNode, 'id' | 'name' | 'key'>;

export class WayBack {
  /** Those whose part stands. */
  readonly #contributors = new Map<string, Contributor>();
  /** By step, ascending. */
  #states: NodeSnapshot[] = [];
  #liars: Contributor[] = [];
  #beginning = 0;
  readonly #doubted: DoubtedSteps[] = [];

  constructor(private readonly options: WayBackOptions) {}

  /** The run begins after so many steps. */
  begin(step: number): void {
    this.#beginning = step;
  }

  /** Steps after which it may go back. */
  get steps(): number[] {
    return this.options.isAuditing ? [this.#beginning, ...this.#states.map(({ step }) => step)] : [];
  }

  /**
   * Nodes take part from a state on.
   *
   * @param state before their first step
   */
  join(nodes: readonly Joining[], state: NodeSnapshot): void {
    for (const { id, name, key } of nodes) {
      const before = this.#contributors.get(key);
      const firstStep = Math.min(before?.firstStep ?? state.step, state.step);
      const here = new Set([...(before?.here ?? []), id]);
      this.#contributors.delete(key);
      this.#contributors.set(key, { name, firstStep, here, isCompared: false, isAudited: false });
    }
    const isKept = this.steps.includes(state.step) || !this.options.isAuditing;
    this.#keep(isKept ? this.#states : [...this.#states, state]);
  }

  /**
   * A node is gone.
   *
   * @param step that is under way
   */
  leave(id: number, code: string, step: number): void {
    const contributor = [...this.#contributors.values()].find(({ here }) => here.has(id));
    if (contributor === undefined) return;
    contributor.here.delete(id);
    if (contributor.firstStep < step && LIES.has(code)) this.#liars.push(contributor);
    const gone = [...this.#contributors].filter(([, { here }]) => here.size === 0);
    const isKnown = ({ firstStep }: Contributor, index: number): boolean =>
      firstStep < step && index >= gone.length - MOST_GONE;
    for (const [index, [key, one]] of gone.entries()) if (!isKnown(one, index)) this.#contributors.delete(key);
    this.#keep(this.#states);
  }

  /** A node sent sums that are not finite: a fault that shows itself, which only who audits takes for more. */
  excuse(id: number): void {
    if (this.options.isAuditing) return;
    for (const { here } of this.#contributors.values()) here.delete(id);
  }

  /**
   * After a step.
   *
   * @param audited nodes whose sums were computed again, and were equal
   * @param compared nodes whose replicas are equal
   */
  noteChecked(audited: readonly number[], compared: readonly number[]): void {
    if (!this.options.isAuditing) return;
    for (const one of this.#contributors.values()) {
      one.isAudited ||= audited.some((id) => one.here.has(id));
      one.isCompared ||= compared.some((id) => one.here.has(id));
    }
    this.#keep(this.#states);
  }

  /**
   * Judges the liars that were found, between steps.
   *
   * @param step steps committed
   * @returns whether the run is to go back
   */
  isDue(step: number): boolean {
    if (this.#liars.length === 0) return false;
    const liars = this.#liars.filter(({ firstStep }) => firstStep < step);
    this.#liars = this.options.isAuditing ? liars : [];
    if (this.options.isAuditing) return liars.length > 0;
    for (const steps of listSteps(liars, step)) {
      this.#doubted.push(steps);
      this.options.emit({ event: 'steps-doubted', ...steps });
    }
    for (const liar of liars) liar.firstStep = step;
    return false;
  }

  /** @param step steps committed */
  listDoubted(step: number): DoubtedSteps[] {
    return [...this.#doubted, ...listSteps(this.#liars, step)];
  }

  /**
   * Forgets what the liars had a part in.
   *
   * @param from steps committed
   * @returns the state to go back to; undefined: what the run began with
   */
  go(from: number): NodeSnapshot | undefined {
    const first = this.#liars.reduce((a, b) => (b.firstStep < a.firstStep ? b : a));
    const state = this.findBefore(first.firstStep);
    const step = state?.step ?? this.#beginning;
    const { emit, epochSteps } = this.options;
    this.#liars = [];
    emit({ event: 'went-back', node: first.name, step, epochs: Math.floor(step / epochSteps), from });
    this.rewind(step);
    return state;
  }

  /** The newest state from before a step; undefined: what the run began with. */
  findBefore(firstStep: number): NodeSnapshot | undefined {
    return this.#states.findLast(({ step }) => step <= firstStep);
  }

  /** The steps from this one on are computed again, by whoever is here. */
  rewind(step: number): void {
    for (const [key, one] of this.#contributors) {
      if (one.firstStep >= step && one.here.size === 0) this.#contributors.delete(key);
      one.firstStep = Math.min(one.firstStep, step);
    }
    this.#keep(this.#states.filter((kept) => kept.step <= step));
  }

  /** Keeps of some states those that are needed and have room. */
  #keep(states: readonly NodeSnapshot[]): void {
    const unchecked = [...this.#contributors.values()].filter(
      ({ here, isCompared, isAudited }) => here.size > 0 && !(isCompared && isAudited),
    );
    const needed = [...unchecked, ...this.#liars].map(({ firstStep }) =>
      states.findLast(({ step }) => step <= firstStep),
    );
    const kept = states.filter((state) => needed.includes(state));
    while (kept.length > MOST_STATES) kept.splice(this.#findNearest(kept), 1);
    const isSame = kept.length === this.#states.length && kept.every((state, index) => state === this.#states[index]);
    this.#states = kept;
    if (isSame) return;
    const bytes = kept.reduce((sum, state) => sum + bytesOf(state), 0);
    this.options.emit({ event: 'states-kept', at: kept.map(({ step }) => step), bytes });
  }

  /** Index of the state with the fewest steps since the one before it. */
  #findNearest(states: readonly NodeSnapshot[]): number {
    const ways = states.map(({ step }, index) => step - (states[index - 1]?.step ?? this.#beginning));
    return ways.indexOf(Math.min(...ways));
  }
}

/** What liars had a part in, of the steps up to one. */
const listSteps = (liars: readonly Contributor[], endStep: number): DoubtedSteps[] =>
  [...new Set(liars)]
    .filter(({ firstStep }) => firstStep < endStep)
    .map(({ name, firstStep }) => ({ node: name, firstStep, endStep }));

const bytesOf = ({ state, slots, average, results }: NodeSnapshot): number =>
  [state, ...slots, ...(average ? [average] : []), results].reduce((sum, { byteLength }) => sum + byteLength, 0);
