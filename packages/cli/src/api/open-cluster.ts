/** Opens a run to other machines: the replica in this process, the nodes that connect, and the port. */

import { type FarewellTerms, listenForNodes, type NodeServer } from '@lockstep/coordinator/members';
import { Cluster } from '@lockstep/coordinator/steps';
import type { NodeEvent, WarningEvent } from '@lockstep/core/events';
import { type MessageOf, readLinkTimings } from '@lockstep/core/wire';
import { MpiWorld } from '@lockstep/worker/connection';
import type { LocalNode } from '@lockstep/worker/node';
import type { ClusterSettings } from '../fields/cluster-fields.js';
import { quote } from '../fields/field.js';
import { listReachable } from './reachable.js';
import type { TrainRequest } from './train-request.js';

export interface OpenCluster {
  readonly node: Cluster;
  /**
   * Closes when all whom it concerns were told, or have had the time for it: until then the port stays open.
   *
   * @param goodbye what the nodes are told; without one they wait for the coordinator to come back
   */
  close(goodbye: MessageOf<'end'> | undefined, around: ClosingTerms): Promise<void>;
}

export interface ClosingTerms extends Pick<FarewellTerms, 'signal' | 'tell'> {
  /** Whether nodes that have never come are waited for. */
  readonly awaitsAll: boolean;
}

/** Without a token, on this machine alone. */
const NO_TOKEN = new Uint8Array(0);

/** @throws LockstepError when the port cannot be opened */
export async function openCluster(
  request: TrainRequest,
  settings: ClusterSettings,
  keeper: LocalNode,
  { isTimed, emit }: { readonly isTimed: boolean; readonly emit: (event: NodeEvent | WarningEvent) => void },
): Promise<OpenCluster> {
  const { model, recipe, seed, dataset, workers } = request;
  const { host, port, topology, transport, waitFor, expect, audit, tlsCert, tlsKey } = settings;
  const token = settings.token ?? NO_TOKEN;
  const carriers = transport === 'mpi' ? MpiWorld.open() : undefined;
  const { engine } = keeper;
  const terms = { model, recipe, seed, dataset, token, carriers, engine, selfTest: await keeper.selfTest() };
  const node = new Cluster(keeper, terms, { topology, waitFor, audit, isComputing: workers > 0, isTimed, emit });
  const hasToken = settings.token !== undefined;
  const server: NodeServer = await listenForNodes({ host, port, hasToken, tlsCert, tlsKey }, (link) =>
    node.membership.admit(link),
  );
  if (audit > 0 && (topology === 'mesh' || topology === 'hierarchical')) emit(warnOfStar(topology));
  if (request.control) request.control.peers = node.membership;
  const flags = settings.tokenFile === undefined ? '' : `--token-file ${quote(settings.tokenFile)}`;
  emit({ event: 'listening', url: server.url, reachable: listReachable(server.url), flags });
  return {
    node,
    close: async (goodbye, { awaitsAll, ...around }) => {
      if (request.control) request.control.peers = undefined;
      await node.close(goodbye);
      // MPI ends when all ranks have come so far
      const expected = carriers ? Math.max(carriers.size - 1, expect) : awaitsAll ? expect : 0;
      await node.membership.settle({ expected, awayMs: readLinkTimings(process.env).silenceMs, ...around });
      await server.close();
      await carriers?.close();
    },
  };
}

/** Sums do not go the way that was asked for. */
const warnOfStar = (topology: string): WarningEvent => ({
  event: 'warning',
  code: 'LOCKSTEP_AUDIT_STAR',
  message: `--audit needs all sums of a step at the coordinator, and a step that went another way would show that it has none: every step is a star, in spite of --topology ${topology}.`,
});
