/** What is said in a real run of each topology: by its nodes, to them, and among them. */
import type { Topology } from '@lockstep/coordinator/steps';
import { type Frame, Link } from '@lockstep/core/wire';
import { coordinate } from '../../machines/coordinator.js';
import { live } from '../../machines/node.js';
import { runs, STEPS_PER_EPOCH } from '../../machines/run.js';
import { type MakeLink, SimulatedNetwork } from '../../network/simulated-network.js';
import { Draws } from '../../world/draws.js';
import { Machine } from '../../world/machine.js';
import { inWorld } from '../../world/timers.js';
import type { Spoken } from './damaged-frame.js';

export interface Recording {
  /** To the coordinator, in the order in which it was said; greetings first. */
  readonly up: readonly Spoken[];
  readonly down: readonly Spoken[];
  readonly among: readonly Spoken[];
}

const NODES = 3;
const HOST = '10.0.0.1';
const LIMIT_MS = 600_000;

const known = new Map<Topology, Promise<Recording>>();

export function findRecording(topology: Topology): Promise<Recording> {
  const found = known.get(topology) ?? record(topology);
  known.set(topology, found);
  return found;
}

async function record(topology: Topology): Promise<Recording> {
  const heard: Record<keyof Recording, Spoken[]> = { up: [], down: [], among: [] };
  await inWorld(1, async (world) => {
    const network = new SimulatedNetwork(world, new Draws(1, 1));
    const ignore = (): void => {};
    let isOver = false;
    const coordinator = new Machine('coordinator', HOST);
    const options = { topology, waitFor: NODES, expected: 0, endingMs: 0, isComputing: true, audit: 0 } as const;
    const watchers = { onSnapshot: ignore, onCommit: ignore, onEvent: ignore, onClosing: ignore, onResult: ignore };
    const act = (): void =>
      void coordinate(coordinator, network, {
        ...options,
        ...watchers,
        run: runs.sgd,
        pace: () => 1,
        from: undefined,
        segmentSteps: STEPS_PER_EPOCH,
      }).then(() => (isOver = true));
    world.after(0, coordinator, act);
    for (let node = 1; node <= NODES; node++) {
      const machine = new Machine(`node ${node}`, `10.0.1.${node}`);
      const life = {
        coordinatorHost: HOST,
        // the last one needs the data
        dataset: node < NODES ? runs.sgd.dataset : undefined,
        pace: () => 1,
        makeLink: recordingLink(heard),
        name: machine.name,
        signal: new AbortController().signal,
        report: ignore,
      };
      world.after(node, machine, () => void live(machine, network, life));
    }
    if (!(await world.pass(() => isOver, LIMIT_MS))) throw new Error('the run that is recorded hangs');
  });
  return heard;
}

const copy = ({ message, payload }: Frame): Spoken => ({ message, payload: Uint8Array.from(payload) });

/** Links that nodes open: to the coordinator, and to each other. */
const recordingLink =
  (heard: Record<keyof Recording, Spoken[]>): MakeLink =>
  (...args) =>
    new (class extends Link {
      readonly #isToCoordinator = args[2].includes(HOST);

      override send(...[message, payload = new Uint8Array(0)]: Parameters<Link['send']>): void {
        heard[this.#isToCoordinator ? 'up' : 'among'].push(copy({ message, payload }));
        super.send(message, payload);
      }

      override set onFrame(take: (frame: Frame) => void) {
        super.onFrame = (frame) => {
          heard[this.#isToCoordinator ? 'down' : 'among'].push(copy(frame));
          take(frame);
        };
      }
    })(...args);
