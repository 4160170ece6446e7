/** A machine that takes part: the real life of a node, over simulated connections. */
import type { Dataset } from '@lockstep/core/data';
import { type NodeReport, runNode } from '@lockstep/worker/connection';
import type { MakeLink, SimulatedNetwork } from '../network/simulated-network.js';
import type { Machine } from '../world/machine.js';
import { CallingThread, type Pace } from './calling-thread.js';
import { COORDINATOR_PORT, TOKEN } from './coordinator.js';

const MESH_PORT = 7500;
/** The default of `lockstep worker --connect-timeout`; longer than any fault of a schedule lasts. */
const PATIENCE_MS = 300_000;

/** Who keeps what others send before its time, within a bound. */
export type Keeping = Parameters<NonNullable<Parameters<typeof runNode>[0]['onShare']>>[0];

export interface NodeOptions {
  readonly coordinatorHost: string;
  readonly dataset: Dataset | undefined;
  readonly pace: Pace;
  readonly makeLink: MakeLink | undefined;
  /** The same for links that others have opened. */
  readonly makeCalledLink?: MakeLink | undefined;
  readonly name: string;
  readonly signal: AbortSignal;
  report(report: NodeReport): void;
  readonly onShare?: (participant: Keeping) => void;
}

/** Resolves with the exit code when the run is over. */
export const live = (machine: Machine, network: SimulatedNetwork, options: NodeOptions): Promise<number> =>
  runNode({
    url: `ws://${options.coordinatorHost}:${COORDINATOR_PORT}`,
    token: TOKEN,
    workers: 1,
    engine: 'native',
    name: options.name,
    meshListen: { host: machine.host, port: MESH_PORT },
    findDataset: async () => options.dataset,
    cacheFolder: '/dev/null',
    patienceMs: PATIENCE_MS,
    mayReturn: () => true,
    signal: options.signal,
    report: options.report,
    network: network.of(machine, options.makeLink, options.makeCalledLink),
    onShare: options.onShare,
    openThreads: (data, control) => new CallingThread(data, control, options.pace),
  });
