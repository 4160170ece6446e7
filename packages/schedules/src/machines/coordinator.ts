/** The first machine of a run: the real cluster and membership around a keeper, begun again where it was when it died. */
import { createHash } from 'node:crypto';
import { Cluster, type Topology } from '@lockstep/coordinator/steps';
import type { NodeEvent, StepSpan } from '@lockstep/core/events';
import { bytesOf } from '@lockstep/core/run';
import type { NodeSnapshot, RunIdentity } from '@lockstep/core/seams';
import { readLinkTimings } from '@lockstep/core/wire';
import { LocalNode } from '@lockstep/worker/node';
import type { MakeLink, SimulatedNetwork } from '../network/simulated-network.js';
import type { Machine } from '../world/machine.js';
import { CallingThread, type Pace } from './calling-thread.js';
import { EPOCHS, STEPS_PER_EPOCH } from './run.js';

export const COORDINATOR_PORT = 7400;
export const TOKEN = Buffer.from('the secret of the simulated runs');

type KeeperOptions = ConstructorParameters<typeof LocalNode>[0];

export interface CoordinatorOptions {
  readonly run: RunIdentity;
  readonly topology: Topology;
  readonly waitFor: number;
  /** Nodes that come sooner or later. */
  readonly expected: number;
  /** From the last commit until the nodes are told. */
  readonly endingMs: number;
  readonly isComputing: boolean;
  readonly audit: number;
  readonly pace: Pace;
  /** Where it goes on after it died. */
  readonly from: NodeSnapshot | undefined;
  /** How its ends of links are made, if they are special. */
  readonly makeLink?: MakeLink | undefined;
  /** Steps from one snapshot to the next, of an epoch's. */
  readonly segmentSteps: number;
  onSnapshot(snapshot: NodeSnapshot): void;
  readonly onShare?: KeeperOptions['onShare'];
  /** A step is committed, and so much is the hash of the state after it. */
  onCommit(steps: number, hash: string): void;
  onEvent(event: NodeEvent): void;
  /** The last step is committed; these are in doubt. */
  onResult(doubted: readonly StepSpan[]): void;
  /** The run is over, and nobody was told yet. */
  onClosing(): void;
}

/** A keeper whose commits are seen. */
class SeenKeeper extends LocalNode {
  constructor(
    options: KeeperOptions,
    private readonly onCommit: CoordinatorOptions['onCommit'],
  ) {
    super(options);
  }

  override commit(steps: number, lossSum: number, correct: number): void {
    super.commit(steps, lossSum, correct);
    this.onCommit(steps, hashState(this.readSnapshot()));
  }
}

/** Of all that a node needs to go on. */
export function hashState({ state, slots, average }: NodeSnapshot): string {
  const hash = createHash('sha256');
  for (const vector of [state, ...slots, ...(average ? [average] : [])]) hash.update(bytesOf(vector));
  return hash.digest('hex');
}

/** Runs to the end of the run. */
export async function coordinate(
  machine: Machine,
  network: SimulatedNetwork,
  options: CoordinatorOptions,
): Promise<void> {
  const {
    run,
    topology,
    waitFor,
    expected,
    endingMs,
    isComputing,
    audit,
    pace,
    from,
    segmentSteps,
    onEvent: emit,
  } = options;
  const openThreads: KeeperOptions['openThreads'] = (data, control) => new CallingThread(data, control, pace);
  const own = { ...run, workers: 1, isSharing: true, openThreads, onShare: options.onShare };
  const keeper = new SeenKeeper(own, options.onCommit);
  const terms = { ...run, token: TOKEN, carriers: undefined, engine: keeper.engine, selfTest: await keeper.selfTest() };
  const cluster = new Cluster(keeper, terms, { topology, waitFor, audit, isComputing, emit });
  if (from) cluster.restore(from);
  const timings = readLinkTimings(process.env);
  const shut = network.listen(
    machine,
    COORDINATOR_PORT,
    timings,
    (link) => void cluster.membership.admit(link),
    options.makeLink,
  );
  for (let step = from?.step ?? 0; step < EPOCHS * STEPS_PER_EPOCH; ) {
    const epoch = Math.floor(step / STEPS_PER_EPOCH);
    const endStep = Math.min(step + segmentSteps, (epoch + 1) * STEPS_PER_EPOCH);
    // less where it went back
    step = (await cluster.train({ epoch, firstStep: step, endStep })).committed;
    options.onSnapshot(cluster.readSnapshot());
  }
  const { steps: unaudited } = cluster.unaudited();
  options.onResult([...cluster.doubted(), ...(unaudited ? [unaudited] : [])]);
  await sleep(endingMs);
  options.onClosing();
  await cluster.close({ type: 'end', text: 'the run is over', exitCode: 0 });
  await cluster.membership.settle({ expected, awayMs: timings.silenceMs });
  shut();
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
