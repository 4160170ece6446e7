/** A run while others send it forged frames, and nodes that come to a forged coordinator: what must hold. */
import type { Topology } from '@lockstep/coordinator/steps';
import type { NodeSnapshot } from '@lockstep/core/seams';
import type { Pace } from '../../machines/calling-thread.js';
import { COORDINATOR_PORT, coordinate } from '../../machines/coordinator.js';
import { live } from '../../machines/node.js';
import { EPOCHS, runs, STEPS_PER_EPOCH } from '../../machines/run.js';
import { SimulatedNetwork } from '../../network/simulated-network.js';
import { Draws } from '../../world/draws.js';
import { Machine } from '../../world/machine.js';
import { inWorld } from '../../world/timers.js';
import type { World } from '../../world/world.js';
import { findCalm } from '../calm.js';
import { Witness } from '../witness.js';
import {
  type ForgerTools,
  forgeAsCoordinator,
  forgeAsNode,
  forgeAsPeer,
  forgeAsStranger,
  ignoreCoded,
} from './forgers.js';
import { findRecording } from './recording.js';

export interface Forgery {
  readonly seed: number;
  readonly topology: Topology;
  /** Forged frames, or nearly as many where everything is over before. */
  readonly frames: number;
}

export interface ForgeryOutcome {
  /** What did not hold; undefined: all of it held. */
  readonly fault: string | undefined;
  /** Forged frames that were sent. */
  readonly sent: number;
  /** Handshakes of forgers with nodes of a mesh. */
  readonly reachedPeers: number;
  readonly simulatedMs: number;
}

const HOST = '10.0.0.1';
const HONEST = 2;
const MESH_PORT = 7500;
/** Who forges at a time. */
const FORGERS = 12;
const MOST_MS_BETWEEN = 20;
/** All waits of the protocol together are shorter. */
const LIMIT_MS = 12 * 3_600_000;
const STEPS = EPOCHS * STEPS_PER_EPOCH;

/** Forged frames to the coordinator of a run and to its nodes; the run has to end in the calm run's bits. */
export async function forgeToRun({ seed, topology, frames }: Forgery): Promise<ForgeryOutcome> {
  const [calm, recording] = [await findCalm('sgd'), await findRecording(topology)];
  return inWorld(seed, async (world) => {
    const witness = new Witness(() => world.nowMs, calm, { isTold: false, hasLiars: true, mayDoubt: false });
    witness.inject('forgery', 'world', 'whoever is blamed, it is for something');
    const { tools, counts } = makeTools(world, seed, frames, recording);
    let isOver = false;
    // the run goes on slowly until most of the frames have come
    const pace: Pace = (shards) => shards * (counts.sent < 0.9 * frames ? frames / 10 : 2);
    const coordinator = new Machine('coordinator', HOST);
    const act = (): void =>
      void coordinate(coordinator, tools.network, {
        run: runs.sgd,
        topology,
        waitFor: 1,
        expected: 0,
        endingMs: 0,
        isComputing: true,
        audit: 1,
        pace,
        from: undefined,
        segmentSteps: STEPS_PER_EPOCH,
        onSnapshot: (_: NodeSnapshot) => {},
        onCommit: (steps, hash) => witness.seeCommit(steps, hash),
        onEvent: (event) => witness.seeEvent(event),
        onClosing: () => {},
        onResult: (doubted) => witness.seeResult(doubted),
      }).then(
        () => (isOver = true),
        (error) => witness.fail(`the coordinator ended: ${describe(error)}`),
      );
    world.after(0, coordinator, act);
    for (let index = 1; index <= HONEST; index++) {
      const machine = new Machine(`node ${index}`, `10.0.1.${index}`);
      const begin = (): void => {
        if (index > 1 && counts.sent < frames / 2) return void world.after(MOST_MS_BETWEEN, machine, begin);
        void live(machine, tools.network, {
          coordinatorHost: HOST,
          dataset: index > 1 ? runs.sgd.dataset : undefined,
          pace,
          makeLink: undefined,
          name: machine.name,
          signal: new AbortController().signal,
          report: () => {},
        }).catch((error) => witness.fail(`${machine.name} is honest and ended: ${describe(error)}`));
      };
      world.after(index, machine, begin);
    }
    const targets = [1, 2].map((index) => `ws://10.0.1.${index}:${MESH_PORT}`);
    startForgers(world, tools, (machine) => {
      const { draws } = tools;
      const atMesh = draws.chance(0.3);
      const url = `ws://${HOST}:${COORDINATOR_PORT}`;
      if (draws.chance(0.2)) return forgeAsStranger(machine, atMesh ? draws.pick(targets) : url, tools);
      return atMesh ? forgeAsPeer(machine, url, tools) : forgeAsNode(machine, url, tools);
    });
    await watch(world, witness, () => isOver);
    if (isOver && witness.committed !== STEPS) witness.fail(`it ended after step ${witness.committed} of ${STEPS}`);
    return { fault: witness.fault, ...counts, simulatedMs: world.nowMs };
  });
}

/** A coordinator forges, with and without the token, to nodes that come to it again and again. */
export async function forgeToNode({ seed, topology, frames }: Forgery): Promise<ForgeryOutcome> {
  const [calm, recording] = [await findCalm('sgd'), await findRecording(topology)];
  return inWorld(seed, async (world) => {
    const witness = new Witness(() => world.nowMs, calm, { isTold: false, hasLiars: true, mayDoubt: false });
    witness.inject('forgery', 'world', 'whoever is blamed, it is for something');
    const { tools, counts } = makeTools(world, seed, frames, recording);
    const forger = new Machine('forger', HOST);
    world.after(0, forger, () => void forgeAsCoordinator(forger, COORDINATOR_PORT, seed % 3 > 0, tools));
    let lives = 0;
    const begin = (): void => {
      const machine = new Machine('node', `10.0.1.${1 + (lives++ % 200)}`);
      const end = (): void => {
        tools.network.lose(machine, true);
        if (counts.sent < frames) world.after(1, undefined, begin);
      };
      const act = (): void =>
        void live(machine, tools.network, {
          coordinatorHost: HOST,
          dataset: tools.draws.chance(0.5) ? runs.sgd.dataset : undefined,
          pace: (shards) => shards,
          makeLink: undefined,
          name: 'node',
          signal: new AbortController().signal,
          report: () => {},
        })
          .then(
            () => {},
            (error) => (isCoded(error) ? undefined : witness.fail(`a node threw ${describe(error)}`)),
          )
          .then(end);
      world.after(0, machine, act);
    };
    world.after(1, undefined, begin);
    await watch(world, witness, () => counts.sent >= frames);
    return { fault: witness.fault, ...counts, simulatedMs: world.nowMs };
  });
}

function makeTools(world: World, seed: number, frames: number, recording: ForgerTools['recording']) {
  const counts = { sent: 0, reachedPeers: 0 };
  const network = new SimulatedNetwork(world, new Draws(seed, 1));
  const tools: ForgerTools = {
    network,
    draws: new Draws(seed, 2),
    recording,
    count: () => counts.sent++,
    reachPeer: () => counts.reachedPeers++,
    get isEnough() {
      return counts.sent >= frames;
    },
  };
  return { tools, counts };
}

/** So many at a time; each is another machine, of another address: those that came before are known there. */
function startForgers(world: World, tools: ForgerTools, forge: (machine: Machine) => Promise<void>): void {
  let made = 0;
  const next = (): void => {
    const number = made++;
    const machine = new Machine(`forger ${number}`, `10.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`);
    const act = (): void =>
      void forge(machine)
        .catch(ignoreCoded)
        .then(() => {
          tools.network.lose(machine, tools.draws.chance(0.9));
          if (!tools.isEnough) world.after(tools.draws.between(0, MOST_MS_BETWEEN), undefined, next);
        });
    world.after(0, machine, act);
  };
  for (let count = 0; count < FORGERS; count++) world.after(tools.draws.between(0, MOST_MS_BETWEEN), undefined, next);
}

async function watch(world: World, witness: Witness, isOver: () => boolean): Promise<void> {
  const onRejection = (error: unknown): void => witness.fail(`a promise was rejected: ${describe(error)}`);
  process.on('unhandledRejection', onRejection);
  world.onFailure = (machine, error) => witness.fail(`${machine?.name ?? 'the network'} threw ${describe(error)}`);
  try {
    if (!(await world.pass(() => witness.fault !== undefined || isOver(), LIMIT_MS)))
      witness.fail(`it hangs at step ${witness.committed}`);
  } finally {
    process.off('unhandledRejection', onRejection);
  }
}

const isCoded = (error: unknown): boolean => error instanceof Error && error.name === 'LockstepError';
const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
