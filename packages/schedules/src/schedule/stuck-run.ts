/** A small run in which one machine gets stuck at a named point of the protocol, in one of the ways in which peers do. */
import type { Topology } from '@lockstep/coordinator/steps';
import { LockstepError } from '@lockstep/core/errors';
import type { NodeEvent } from '@lockstep/core/events';
import { fixed } from '@lockstep/core/text';
import { type Frame, Link, type Message, type MessageType } from '@lockstep/core/wire';
import { coordinate } from '../machines/coordinator.js';
import { live } from '../machines/node.js';
import { runs, STEPS_PER_EPOCH } from '../machines/run.js';
import { type MakeLink, SimulatedNetwork } from '../network/simulated-network.js';
import { Draws } from '../world/draws.js';
import { Machine } from '../world/machine.js';
import { inWorld } from '../world/timers.js';
import type { World } from '../world/world.js';
import { findCalm } from './calm.js';

/** A byte a second. */
const DRIBBLE = 0.001;

/** What a peer does from the point on, for ever. */
export const manners = {
  'stops reading': (machine: Machine) => (machine.readsPerMs = 0),
  'stops writing': (machine: Machine) => (machine.writesPerMs = 0),
  'stops both': (machine: Machine) => Object.assign(machine, { readsPerMs: 0, writesPerMs: 0 }),
  'reads a byte a second': (machine: Machine) => (machine.readsPerMs = DRIBBLE),
  'reads a hundred bytes a second': (machine: Machine) => (machine.readsPerMs = 0.1),
  'reads two kilobytes a second': (machine: Machine) => (machine.readsPerMs = 2),
  'writes a byte a second': (machine: Machine) => (machine.writesPerMs = DRIBBLE),
  /** Its connection shows that it is there. */
  'says nothing': () => {},
  'grows slower each step': () => {},
} as const;
export type Manner = keyof typeof manners;

/** The point: a message that it says, or hears; the first one of its type, the nth, or that of a step. */
export interface Point {
  readonly says?: MessageType;
  readonly hears?: MessageType;
  readonly nth?: number;
  readonly step?: number;
  /** Whether what it says there is not said any more. */
  readonly isBefore?: boolean;
}

export interface StuckCase {
  readonly who: 'coordinator' | 'node';
  /** Without one it is stuck from its first connection on. */
  readonly point?: Point;
  readonly manner: Manner;
  readonly topology: Topology;
  /** Whether the keeper computes too. */
  readonly isComputing: boolean;
  /** Other nodes; 2. */
  readonly others?: number;
  /** Whether all is over when it is gone; else when the run is. */
  readonly isShort?: boolean;
  /** Whether it comes when the run has begun without it. */
  readonly isLate?: boolean;
  /** Of a shard; 20. */
  readonly shardMs?: number;
  /** Whether it comes before the others, who call it in a mesh; else it calls them. */
  readonly isFirst?: boolean;
}

export interface StuckOutcome {
  /** When it got stuck; undefined: the point was never reached. */
  readonly stuckMs: number | undefined;
  /** The longest that no step was committed, from then on. */
  readonly heldMs: number;
  /** From then until it was refused, sent away or, a coordinator, given up by every node. */
  readonly goneMs: number | undefined;
  /** From then until another node has ended a connection to it. */
  readonly closedMs: number | undefined;
  readonly isOver: boolean;
  readonly isCalm: boolean;
  readonly events: readonly NodeEvent[];
  readonly lines: readonly string[];
}

const LIMIT_MS = 3_600_000;
const SHARD_MS = 20;
/** When nodes come: the coordinator has opened its port, and those that come later call those before them. */
const SOON_MS = 100;
const LATER_MS = 200;
const LATE_MS = 2000;
const SLOWER = 3;
const HOST = '10.0.0.1';
const STUCK = 'stuck';
const STUCK_HOST = '10.0.2.1';

export async function runStuck(stuck: StuckCase): Promise<StuckOutcome> {
  const calm = await findCalm('adam');
  return inWorld(1, (world) => new StuckRun(world, stuck, calm).run());
}

class StuckRun {
  readonly #network: SimulatedNetwork;
  readonly #events: NodeEvent[] = [];
  readonly #lines: string[] = [];
  #stuckMs: number | undefined;
  #goneMs: number | undefined;
  #closedMs: number | undefined;
  readonly #givenUp = new Set<string>();
  #lastMs = 0;
  #heldMs = 0;
  #slowness = 1;
  #count = 0;
  #isOver = false;
  #isCalm = true;

  constructor(
    private readonly world: World,
    private readonly stuck: StuckCase,
    private readonly calm: ReadonlyMap<number, string>,
  ) {
    this.#network = new SimulatedNetwork(world, new Draws(1, 1));
  }

  async run(): Promise<StuckOutcome> {
    const { world } = this;
    this.#coordinate();
    const { others = 2, isFirst = false, isLate = false } = this.stuck;
    for (let node = 0; node < others; node++)
      world.after(isFirst ? LATER_MS : SOON_MS, undefined, () => this.#live(`other ${node}`));
    world.after(isFirst ? SOON_MS : isLate ? LATE_MS : LATER_MS, undefined, () => this.#live(STUCK));
    const isDone = (): boolean => this.#isOver || (this.stuck.isShort === true && this.#goneMs !== undefined);
    await world.pass(isDone, LIMIT_MS);
    this.#move();
    const [stuckMs, heldMs, goneMs, closedMs] = [this.#stuckMs, this.#heldMs, this.#goneMs, this.#closedMs];
    const [isOver, isCalm, events, lines] = [this.#isOver, this.#isCalm, this.#events, this.#lines];
    return { stuckMs, heldMs, goneMs, closedMs, isOver, isCalm, events, lines };
  }

  #coordinate(): void {
    const { world, stuck } = this;
    const machine = new Machine('coordinator', HOST);
    const act = (): void =>
      void coordinate(machine, this.#network, {
        run: runs.adam,
        topology: stuck.topology,
        isComputing: stuck.isComputing,
        waitFor: (stuck.others ?? 2) + (stuck.isLate ? 0 : 1),
        audit: 0,
        expected: 0,
        endingMs: 0,
        onResult: () => {},
        onClosing: () => (this.#isOver = true),
        pace: (shards) => (stuck.shardMs ?? SHARD_MS) * shards,
        from: undefined,
        makeLink: stuck.who === 'coordinator' ? this.#sticky(machine) : undefined,
        segmentSteps: STEPS_PER_EPOCH,
        onSnapshot: () => {},
        onCommit: (steps, hash) => {
          this.#tell('coordinator', `step ${steps}`);
          this.#move();
          this.#isCalm &&= hash === this.calm.get(steps);
        },
        onEvent: (event) => {
          this.#tell('coordinator', JSON.stringify(event));
          this.#events.push(event);
          if (stuck.who === 'node' && isEnd(event)) this.#end();
        },
      });
    world.after(0, machine, act);
  }

  #live(name: string): void {
    const { world, stuck } = this;
    const machine = new Machine(name, name === STUCK ? STUCK_HOST : `10.0.1.${++this.#count}`);
    const isStuck = name === STUCK && stuck.who === 'node';
    const makeLink = isStuck ? this.#sticky(machine) : this.#watched;
    const act = (): void =>
      void live(machine, this.#network, {
        coordinatorHost: HOST,
        dataset: name === STUCK ? undefined : runs.adam.dataset,
        pace: (shards) => (stuck.shardMs ?? SHARD_MS) * shards * (isStuck ? this.#slowness : 1),
        makeLink,
        makeCalledLink: makeLink,
        name,
        signal: new AbortController().signal,
        report: ({ kind, text }) => {
          this.#tell(name, `${kind}: ${text}`);
          if (stuck.who === 'coordinator' && kind === 'lost') this.#giveUp(name);
        },
      }).catch((error: unknown) => this.#tell(name, `ended: ${String(error)}`));
    world.after(0, machine, act);
  }

  /** Links of a machine that gets stuck at the point. */
  #sticky(machine: Machine): MakeLink {
    const { stuck } = this;
    let seen = 0;
    const begin = (): void => {
      this.#stuckMs = this.world.nowMs;
      this.#lastMs = this.world.nowMs;
      this.#tell(machine.name, `${stuck.manner} from here on`);
      manners[stuck.manner](machine);
    };
    const pass = (way: 'says' | 'hears', message: Message): void => {
      const { point } = stuck;
      const isSlower = stuck.manner === 'grows slower each step' && this.#stuckMs !== undefined;
      if (isSlower && way === 'hears' && message.type === 'assign') this.#slowness *= SLOWER;
      const isOfStep = point?.step === undefined || ('step' in message && message.step === point.step);
      if (point?.[way] !== message.type || !isOfStep || this.#stuckMs !== undefined) return;
      if (++seen === (point.nth ?? 1)) begin();
    };
    const isStuck = (): boolean => this.#stuckMs !== undefined;
    const isMute = (): boolean => stuck.manner === 'says nothing' && isStuck();
    return (socket, role, address, timings) => {
      if (stuck.point === undefined && !isStuck()) begin();
      if (isStuck() && role === 'caller') throw new LockstepError('LOCKSTEP_CONNECT', 'it is stuck.');
      // however long nothing comes, it stays
      return new (class extends Link {
        override send(...[message, payload]: Parameters<Link['send']>): void {
          if (stuck.point?.isBefore) pass('says', message);
          if (isMute()) return;
          super.send(message, payload);
          if (!stuck.point?.isBefore) pass('says', message);
        }
        override set onFrame(take: (frame: Frame) => void) {
          super.onFrame = (frame) => {
            pass('hears', frame.message);
            take(frame);
          };
        }
        override refuse(reason: LockstepError): void {
          if (!isStuck()) super.refuse(reason);
        }
        override close(...words: Parameters<Link['close']>): void {
          if (!isStuck()) super.close(...words);
        }
      })(socket, role, address, { ...timings, silenceMs: Number.POSITIVE_INFINITY });
    };
  }

  #watched: MakeLink = (...args) => {
    const [socket, , address] = args;
    if (address.includes(STUCK_HOST)) socket.on('close', () => (this.#closedMs ??= this.#sinceStuck()));
    return new Link(...args);
  };

  #sinceStuck(): number | undefined {
    return this.#stuckMs === undefined ? undefined : this.world.nowMs - this.#stuckMs;
  }

  #move(): void {
    if (this.#stuckMs === undefined) return;
    this.#heldMs = Math.max(this.#heldMs, this.world.nowMs - this.#lastMs);
    this.#lastMs = this.world.nowMs;
  }

  #end(): void {
    this.#goneMs ??= this.#sinceStuck();
  }

  /** By the nodes that have heard of it. */
  #giveUp(node: string): void {
    if (this.#stuckMs === undefined) return;
    this.#givenUp.add(node);
    if (this.#givenUp.size > (this.stuck.others ?? 2)) this.#end();
  }

  #tell(who: string, text: string): void {
    this.#lines.push(`${fixed(this.world.nowMs, 1).padStart(12)} ${who}: ${text}`);
  }
}

const isEnd = (event: NodeEvent): boolean =>
  event.event === 'node-refused' || ('node' in event && event.node === STUCK && /evicted|left/.test(event.event));
