/** Lets one schedule happen, and watches what must hold. */
import type { NodeSnapshot } from '@lockstep/core/seams';
import { coordinate } from '../machines/coordinator.js';
import { type Flood, LyingLink } from '../machines/liar.js';
import { type Keeping, live } from '../machines/node.js';
import { EPOCHS, KEEPER_MS_PER_SHARD, runs, STEPS_PER_EPOCH } from '../machines/run.js';
import { WatchedLink } from '../machines/watched-link.js';
import { type MakeLink, SimulatedNetwork } from '../network/simulated-network.js';
import { Draws } from '../world/draws.js';
import { Machine } from '../world/machine.js';
import { inWorld } from '../world/timers.js';
import type { World } from '../world/world.js';
import { type CalmHashes, findCalm } from './calm.js';
import { seeMemory } from './memory.js';
import type { Fault, Moment, Plan } from './plan.js';
import { Witness } from './witness.js';

/** What came of a schedule. */
export interface Outcome {
  /** What did not hold; undefined: all of it held. */
  readonly fault: string | undefined;
  readonly simulatedMs: number;
  /** Of simulated machines: timers that ended, bytes that left or arrived. */
  readonly events: number;
  /** Faults that came to pass, by their kind; `lie`: each thing that was said and is not so. */
  readonly injected: Readonly<Record<string, number>>;
  /** One line for everything that happened, if they were asked for. */
  readonly lines: readonly string[];
}

/** All waits of the protocol together are shorter: beyond it a run hangs. */
const LIMIT_MS = 3_600_000;
/** After the run's end nodes are gone within this: who could not be told tries to come back, who is stuck goes on computing. */
const ENDING_MS = 6 * 3_600_000;
/** For the last words of a process that has ended. */
const LINGER_MS = 1500;
const RESTART_MS = 500;
const STEPS = EPOCHS * STEPS_PER_EPOCH;
const HOST = '10.0.0.1';

export async function runSchedule(plan: Plan, { isTold = false } = {}): Promise<Outcome> {
  const calm = await findCalm(plan.recipe);
  return inWorld(plan.seed, (world) => new ScheduledRun(world, plan, calm, isTold).run());
}

class ScheduledRun {
  readonly #network: SimulatedNetwork;
  readonly #draws: Draws;
  readonly #witness: Witness;
  readonly #nodes: (Machine | undefined)[];
  readonly #leaving: AbortController[] = [];
  readonly #slowness: number[];
  #coordinator: Machine | undefined;
  #snapshot: NodeSnapshot | undefined;
  readonly #reached = new Set<Moment>();
  /** Who takes part in steps, on the machines that are there. */
  readonly #keeping = new Map<Machine, Keeping>();
  #isOver = false;
  #lives = 0;

  constructor(
    private readonly world: World,
    private readonly plan: Plan,
    calm: CalmHashes,
    private readonly isTold: boolean,
  ) {
    const hasLiars = plan.nodes.some(({ lies }) => lies > 0);
    this.#witness = new Witness(() => world.nowMs, calm, { isTold, hasLiars, mayDoubt: hasLiars && plan.audit < 1 });
    this.#draws = new Draws(plan.seed, 2);
    this.#network = new SimulatedNetwork(world, new Draws(plan.seed, 1));
    this.#nodes = plan.nodes.map(() => undefined);
    this.#slowness = plan.nodes.map(() => 1);
  }

  async run(): Promise<Outcome> {
    const { world, plan } = this;
    const { stackTraceLimit } = Error;
    // stacks are for who reads them: liars and lost connections make errors by the thousand
    if (!this.isTold) Error.stackTraceLimit = 0;
    const onRejection = (error: unknown): void => this.#witness.fail('a promise was rejected', error);
    process.on('unhandledRejection', onRejection);
    world.onRest = () => seeMemory(this.#keeping, this.#network.sockets, this.#witness);
    world.onFailure = (machine, error) => this.#witness.fail(`${machine?.name ?? 'the network'} threw`, error);
    try {
      this.#startCoordinator();
      for (const [index, { startsAtMs, startsWith }] of plan.nodes.entries())
        if (startsWith === undefined) world.after(startsAtMs, undefined, () => this.#startNode(index));
      for (const [atMs, fault] of plan.faults) world.after(atMs, undefined, () => this.#happen(fault));
      const isDone = (): boolean => this.#witness.fault !== undefined || this.#isOver;
      if (!(await world.pass(isDone, LIMIT_MS))) this.#witness.fail(`it hangs at step ${this.#witness.committed}`);
      const limitMs = world.nowMs + ENDING_MS;
      const areGone = (): boolean => this.#witness.fault !== undefined || this.#lives === 0;
      if (!(await world.pass(areGone, limitMs))) this.#witness.fail('the run is over, and nodes do not end');
    } finally {
      process.off('unhandledRejection', onRejection);
      Error.stackTraceLimit = stackTraceLimit;
    }
    const { fault, lines, injected } = this.#witness;
    return { fault, lines, simulatedMs: world.nowMs, events: world.events, injected: Object.fromEntries(injected) };
  }

  /** A moment of the end, which comes once. */
  #reach(moment: Moment): void {
    if (this.#reached.has(moment)) return;
    this.#reached.add(moment);
    this.#witness.tell('world', moment);
    const { nodes, endingFaults } = this.plan;
    for (const [index, { startsWith, startsAtMs }] of nodes.entries())
      if (startsWith === moment) this.world.after(startsAtMs, undefined, () => this.#startNode(index));
    for (const [when, afterMs, fault] of endingFaults)
      if (when === moment) this.world.after(afterMs, undefined, () => this.#happen(fault));
  }

  get #isEnding(): boolean {
    return this.#reached.has('closing');
  }

  // ---- machines ----

  #startCoordinator(): void {
    const machine = new Machine('coordinator', HOST);
    this.#coordinator = machine;
    this.#witness.beginCoordinator(this.#snapshot?.step ?? 0);
    const { topology, waitFor, expected, endingMs, isComputing, audit, segmentSteps, recipe } = this.plan;
    const act = (): void =>
      void coordinate(machine, this.#network, {
        run: runs[recipe],
        topology,
        waitFor,
        expected,
        endingMs,
        isComputing,
        audit,
        pace: (shards) => KEEPER_MS_PER_SHARD * shards,
        from: this.#snapshot,
        segmentSteps,
        onSnapshot: (snapshot) => (this.#snapshot = snapshot),
        onShare: (participant) => this.#keeping.set(machine, participant),
        onCommit: (steps, hash) => {
          this.#witness.seeCommit(steps, hash);
          if (steps === STEPS - 1) this.#reach('last step');
          if (steps === STEPS) this.#reach('last commit');
        },
        onResult: (steps) => this.#witness.seeResult(steps),
        onClosing: () => this.#reach('closing'),
        onEvent: (event) => this.#witness.seeEvent(event),
      }).then(
        () => {
          if (this.#witness.committed !== STEPS)
            this.#witness.fail(`it ended after step ${this.#witness.committed} of ${STEPS}`);
          this.#isOver = true;
          // its process ends when the last words have left
          this.world.after(LINGER_MS, undefined, () => this.#lose(machine, true));
        },
        (error) => this.#witness.fail('the coordinator ended', error),
      );
    this.world.after(0, machine, act);
  }

  #startNode(index: number): void {
    const { lies, floods, msPerShard, hasData } = this.plan.nodes[index]!;
    // the run is over: nobody starts it any more
    if (this.#isOver) return;
    const name = `node ${index + 1}`;
    const machine = new Machine(name, `10.0.1.${index + 1}`);
    machine.isHonest = lies === 0;
    const leaving = new AbortController();
    this.#nodes[index] = machine;
    this.#leaving[index] = leaving;
    this.#lives++;
    const act = (): void =>
      void live(machine, this.#network, {
        coordinatorHost: HOST,
        dataset: hasData ? runs[this.plan.recipe].dataset : undefined,
        pace: (shards) => shards * msPerShard * (this.#slowness[index] as number),
        makeLink: lies > 0 ? this.#lyingLink(name, lies, floods) : this.#watchedLink(name),
        name,
        signal: leaving.signal,
        onShare: (participant) => this.#keeping.set(machine, participant),
        report: ({ kind, text }) => this.#witness.tell(name, `${kind}: ${text}`),
      }).then(
        (exitCode) => {
          if (exitCode !== 0) this.#witness.fail(`${name} ended with exit code ${exitCode}`);
          this.#endNode(index, machine, this.#isEnding);
        },
        (error) => {
          // long after the run's end nobody is there to say so to who comes back
          const isLate = this.#isOver && this.plan.expected === 0;
          if (lies === 0 && !isLate) this.#witness.fail(`${name} is honest and ended`, error);
          this.#endNode(index, machine);
        },
      );
    this.world.after(0, machine, act);
  }

  /** @param isDone whether it knows that the run is over: then nobody starts it again */
  #endNode(index: number, machine: Machine, isDone = false): void {
    if (!machine.isAlive) return;
    this.#witness.tell(machine.name, 'its process ended');
    this.#lose(machine, true);
    if (this.#nodes[index] === machine) this.#nodes[index] = undefined;
    if (isDone) this.#reach('told');
    else this.world.after(RESTART_MS, undefined, () => this.#restart(index));
  }

  #restart(index: number): void {
    if (this.#nodes[index] === undefined) this.#startNode(index);
  }

  #lose(machine: Machine, isTold: boolean): void {
    if (!machine.isAlive) return;
    this.#network.lose(machine, isTold);
    this.#keeping.delete(machine);
    if (machine !== this.#coordinator) this.#lives--;
  }

  #lyingLink = (name: string, share: number, floods: Flood | undefined): MakeLink => {
    const onLie = (text: string): void => this.#witness.inject('lie', name, text);
    return (...args) => new LyingLink(this.#draws, share, floods, onLie, ...args);
  };

  #watchedLink = (name: string): MakeLink => {
    const onApplied = (step: number): void => this.#witness.seeApplied(name, step);
    return (...args) => new WatchedLink(onApplied, ...args);
  };

  // ---- faults ----

  #happen(fault: Fault): void {
    if (this.#isOver || !this.#strikes(fault)) return;
    this.#witness.inject(fault.kind, 'world', JSON.stringify(fault));
    const { world } = this;
    switch (fault.kind) {
      case 'kill': {
        const machine = this.#nodes[fault.node] as Machine;
        this.#nodes[fault.node] = undefined;
        this.#lose(machine, fault.isTold);
        world.after(fault.forMs, undefined, () => this.#restart(fault.node));
        break;
      }
      case 'kill coordinator':
        this.#lose(this.#coordinator as Machine, fault.isTold);
        world.after(fault.forMs, undefined, () => {
          if (!this.#isOver) this.#startCoordinator();
        });
        break;
      case 'leave':
        this.#leaving[fault.node]?.abort();
        break;
      case 'freeze':
        (this.#nodes[fault.node] as Machine).frozenUntilMs = world.nowMs + fault.forMs;
        break;
      case 'freeze coordinator':
        (this.#coordinator as Machine).frozenUntilMs = world.nowMs + fault.forMs;
        break;
      case 'slow':
        this.#slowness[fault.node] = fault.times;
        world.after(fault.forMs, undefined, () => (this.#slowness[fault.node] = 1));
        break;
      case 'cut':
        this.#network.pick(this.#draws)?.cut();
        break;
      case 'flip': {
        const socket = this.#network.pick(this.#draws);
        if (socket) socket.flip = (bits) => this.#draws.below(bits);
        break;
      }
      case 'deafen':
      case 'mute':
      case 'partition':
        this.#block(fault);
        break;
      case 'congestion': {
        const { bytesPerMs, latencyMs } = this.#network;
        Object.assign(this.#network, { bytesPerMs: fault.bytesPerMs, latencyMs: [0, fault.latencyMs] });
        world.after(fault.forMs, undefined, () => Object.assign(this.#network, { bytesPerMs, latencyMs }));
      }
    }
  }

  /** Whether there is what a fault would strike. */
  #strikes(fault: Fault): boolean {
    if (fault.kind === 'kill coordinator' || fault.kind === 'freeze coordinator')
      return this.#coordinator?.isAlive === true;
    if (fault.kind === 'cut' || fault.kind === 'flip') return this.#network.isConnected;
    return !('node' in fault) || this.#nodes[fault.node]?.isAlive === true || fault.kind === 'slow';
  }

  #block(fault: Extract<Fault, { kind: 'deafen' | 'mute' | 'partition' }>): void {
    const untilMs = this.world.nowMs + fault.forMs;
    const all = [this.#coordinator, ...this.#nodes].filter((machine) => machine !== undefined);
    const apart = (fault.kind === 'partition' ? fault.nodes : [fault.node]).map((index) => this.#nodes[index]);
    for (const one of all.filter((machine) => apart.includes(machine))) {
      for (const other of all.filter((machine) => !apart.includes(machine))) {
        if (fault.kind !== 'deafen') this.#network.block(one, other, untilMs);
        if (fault.kind !== 'mute') this.#network.block(other, one, untilMs);
      }
    }
  }
}
