/** Keeps who computes, with which shards, how fast, and where the time of their steps goes. */
import type { NodeEvictedEvent, NodeJoinedEvent, NodeLeftEvent, NodeShare, StepTimes } from '@lockstep/core/events';
import type { ShardRange } from '@lockstep/core/run';
import { type CrewMember, phaseNames, type StepBar } from './chronicle.js';

const OWN_NODE = 'coordinator';
/** Steps in the picture of the newest ones. */
const STEPS_SHOWN = 6;
/** Nodes that are gone and still shown: a node may come again under ever other names. */
const MOST_GONE = 64;
/** A picture that changes more often cannot be read. */
const PICTURE_MS = 500;

/** Sums over the steps since the last picture. */
interface Tally {
  count: number;
  milliseconds: number;
  readonly phases: number[];
}

export class CrewKeeper {
  readonly #members = new Map<string, CrewMember>();
  readonly #tallies = new Map<string, Tally>();
  #shards: readonly ShardRange[] = [];
  #batchSize = 0;
  #newest: readonly StepTimes[] = [];
  #drawnMs = Number.NEGATIVE_INFINITY;
  #steps: readonly StepBar[] = [];
  hasNews = false;

  get members(): CrewMember[] {
    return [...this.#members.values()].sort((a, b) => compare(a, b));
  }

  get steps(): readonly StepBar[] {
    return this.#steps;
  }

  /** @param shards of a full step, one range per worker of this process */
  begin(shards: readonly ShardRange[], batchSize: number): void {
    this.#shards = shards;
    this.#batchSize = batchSize;
    for (const [worker] of shards.entries()) this.#change(OWN_NODE, worker, {});
  }

  onNode(event: NodeJoinedEvent | NodeLeftEvent | NodeEvictedEvent): void {
    const state = event.event === 'node-joined' ? 'working' : event.event === 'node-left' ? 'gone' : 'evicted';
    this.#change(event.node, undefined, state === 'working' ? { state } : { state, shards: 0, imagesPerSecond: 0 });
    const gone = [...this.#members].filter(([, { state }]) => state === 'gone' || state === 'evicted');
    for (const [key] of gone.slice(0, -MOST_GONE)) {
      this.#members.delete(key);
      this.#tallies.delete(key);
    }
  }

  /** The run is over: nobody works any more. */
  end(): void {
    for (const [key, member] of this.#members) {
      if (member.state === 'working') this.#members.set(key, { ...member, state: 'done' });
    }
  }

  /** A worker of this process was lost, and another took its place. */
  onReplaced(worker: number): void {
    const replaced = this.#members.get(keyOf(OWN_NODE, worker))?.replaced ?? 0;
    this.#change(OWN_NODE, worker, { replaced: replaced + 1 });
  }

  onShares(nodes: readonly NodeShare[]): void {
    for (const { node, shards, imagesPerSecond } of nodes) this.#change(node, undefined, { shards, imagesPerSecond });
  }

  onSteps(times: readonly StepTimes[], nowMs: number): void {
    for (const each of times) this.#tally(each);
    this.#newest = [...this.#newest, ...times].slice(-STEPS_SHOWN * 64);
    this.hasNews = nowMs - this.#drawnMs >= PICTURE_MS;
    if (!this.hasNews) return;
    this.#drawnMs = nowMs;
    this.#steps = drawSteps(this.#newest);
    for (const [key, tally] of this.#tallies) this.#applyTally(key, tally);
    this.#tallies.clear();
  }

  #tally(times: StepTimes): void {
    const key = keyOf(times.node, times.worker);
    const tally = this.#tallies.get(key) ?? { count: 0, milliseconds: 0, phases: phaseNames.map(() => 0) };
    for (const [index, milliseconds] of phasesOf(times).entries()) {
      tally.phases[index] = (tally.phases[index] as number) + milliseconds;
      tally.milliseconds += milliseconds;
    }
    tally.count += 1;
    this.#tallies.set(key, tally);
    if (!this.#members.has(key)) this.#change(times.node, times.worker, {});
  }

  #applyTally(key: string, { count, milliseconds, phases }: Tally): void {
    const member = this.#members.get(key) as CrewMember;
    const means = phases.map((sum) => sum / count);
    const total = this.#shards.at(-1)?.end ?? 0;
    const share = total > 0 && member.worker !== undefined ? member.shards / total : 0;
    const speed = milliseconds > 0 ? (1000 * share * this.#batchSize * count) / milliseconds : 0;
    this.#change(member.node, member.worker, {
      phases: means,
      ...(member.worker !== undefined && { imagesPerSecond: speed }),
    });
  }

  #change(node: string, worker: number | undefined, change: Partial<CrewMember>): void {
    const key = keyOf(node, worker);
    const range = worker === undefined ? undefined : this.#shards[worker];
    const shards = range === undefined ? 0 : range.end - range.begin;
    const known = this.#members.get(key) ?? {
      node,
      worker,
      state: 'working' as const,
      replaced: 0,
      shards,
      imagesPerSecond: 0,
      phases: undefined,
    };
    this.#members.set(key, { ...known, ...change });
  }
}

const keyOf = (node: string, worker: number | undefined): string => `${node} ${worker ?? ''}`;

const laneOf = ({ node, worker }: StepTimes): string => (worker === undefined ? node : `worker ${worker}`);

const phasesOf = ({ contributeMs, waitMs, exchangeMs, updateMs, commitMs }: StepTimes): number[] => [
  contributeMs,
  waitMs,
  exchangeMs,
  updateMs,
  commitMs,
];

/** The newest steps that every lane has told about. */
function drawSteps(times: readonly StepTimes[]): StepBar[] {
  const newest = Math.max(...times.map(({ step }) => step));
  const shown = times.filter(({ step }) => step > newest - STEPS_SHOWN);
  const origin = Math.min(...shown.map(({ beganMs }) => beganMs));
  return shown
    .map((each) => ({ lane: laneOf(each), step: each.step, beganMs: each.beganMs - origin, phases: phasesOf(each) }))
    .sort((a, b) => a.lane.localeCompare(b.lane, 'en', { numeric: true }) || a.step - b.step);
}

/** The coordinator's own first, then nodes by name, each before its workers. */
const compare = (a: CrewMember, b: CrewMember): number =>
  Number(b.node === OWN_NODE) - Number(a.node === OWN_NODE) ||
  a.node.localeCompare(b.node) ||
  (a.worker ?? -1) - (b.worker ?? -1);
