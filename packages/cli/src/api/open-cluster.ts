/** Opens a run to other machines: the replica in this process, the nodes that connect, and the port. */

import { listenForNodes, type NodeServer } from '@lockstep/coordinator/members';
import { Cluster } from '@lockstep/coordinator/steps';
import type { NodeEvent } from '@lockstep/core/events';
import type { MessageOf } from '@lockstep/core/wire';
import { MpiWorld } from '@lockstep/worker/connection';
import type { LocalNode } from '@lockstep/worker/node';
import type { ClusterSettings } from '../fields/cluster-fields.js';
import { quote } from '../fields/field.js';
import { listReachable } from './reachable.js';
import type { TrainRequest } from './train-request.js';

export interface OpenCluster {
  readonly node: Cluster;
  /** @param goodbye what the nodes are told; without one they wait for the coordinator to come back */
  close(goodbye: MessageOf<'end'> | undefined): Promise<void>;
}

/** Without a token, on this machine alone. */
const NO_TOKEN = new Uint8Array(0);

/** @throws LockstepError when the port cannot be opened */
export async function openCluster(
  request: TrainRequest,
  settings: ClusterSettings,
  keeper: LocalNode,
  { isTimed, emit }: { readonly isTimed: boolean; readonly emit: (event: NodeEvent) => void },
): Promise<OpenCluster> {
  const { model, recipe, seed, dataset, workers } = request;
  const { host, port, topology, transport, waitFor, audit, tlsCert, tlsKey } = settings;
  const token = settings.token ?? NO_TOKEN;
  const carriers = transport === 'mpi' ? MpiWorld.open() : undefined;
  const { engine } = keeper;
  const terms = { model, recipe, seed, dataset, token, carriers, engine, selfTest: await keeper.selfTest() };
  const node = new Cluster(keeper, terms, { topology, waitFor, audit, isComputing: workers > 0, isTimed, emit });
  const hasToken = settings.token !== undefined;
  const server: NodeServer = await listenForNodes({ host, port, hasToken, tlsCert, tlsKey }, (link) =>
    node.membership.admit(link),
  );
  const flags = settings.tokenFile === undefined ? '' : `--token-file ${quote(settings.tokenFile)}`;
  emit({ event: 'listening', url: server.url, reachable: listReachable(server.url), flags });
  return {
    node,
    close: async (goodbye) => {
      await node.close(goodbye);
      await server.close();
      await carriers?.close();
    },
  };
}
