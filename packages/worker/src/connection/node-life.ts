/**
 * A node's life: connect, shake hands, get the data, take part in steps, until the run is over or somebody asks it to
 * leave. A lost connection is made again, with growing pauses; what the node has of the run it keeps.
 */
import type { Dataset } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import { inferLayers } from '@lockstep/core/model';
import { optimizerSlots, planContribution } from '@lockstep/core/run';
import type { EngineName, KernelChoice } from '@lockstep/core/seams';
import { formatCount } from '@lockstep/core/text';
import {
  type Carriers,
  Conversation,
  type DatasetHeader,
  datasetBytes,
  type Link,
  readLinkTimings,
} from '@lockstep/core/wire';
import { LocalNode, type LocalNodeOptions } from '../node/local-node.js';
import { prepareEngine } from '../node/prepare-engine.js';
import { DatasetArrival, readCachedDataset } from './dataset-cache.js';
import { greet, type RunTerms, receiveDataset } from './greeting.js';
import { Mesh } from './mesh.js';
import { type Network, webSockets } from './network.js';
import { NodeSession, type SessionEnd } from './node-session.js';
import { StateAssembly } from './replica-state.js';

/** What a node tells while it lives. */
export interface NodeReport {
  readonly kind: 'connected' | 'data' | 'ready' | 'lost' | 'ended' | 'warning';
  readonly text: string;
}

export interface NodeOptions {
  readonly url: string;
  readonly token: Uint8Array;
  readonly workers: number;
  /** What computes: the coordinator's own, or it refuses the node. */
  readonly engine: EngineName;
  /** Which builds of the native engine's kernels may be taken. */
  readonly kernels?: KernelChoice | undefined;
  readonly name: string;
  readonly tlsCa?: Uint8Array | undefined;
  /** With --transport mpi. */
  readonly carriers?: Carriers | undefined;
  readonly meshListen?: { readonly host: string; readonly port: number } | undefined;
  /** This machine's own copy of the dataset, if there is one with this checksum. */
  readonly findDataset: (header: DatasetHeader) => Promise<Dataset | undefined>;
  readonly cacheFolder: string;
  /** How long to try to connect, at the start and after a loss. */
  readonly patienceMs: number;
  /** Whether to connect again when the connection is lost. */
  readonly mayReturn: () => boolean;
  /** Aborting lets the node leave in order. */
  readonly signal: AbortSignal;
  readonly report: (report: NodeReport) => void;
  /** For a simulation of many nodes: instead of WebSockets, and of threads, and to see inside. */
  readonly network?: Network | undefined;
  readonly openThreads?: LocalNodeOptions['openThreads'];
  readonly onShare?: LocalNodeOptions['onShare'];
}

/** Reasons for which it is worth to come back. */
const PASSING = new Set([
  'LOCKSTEP_CONNECT',
  'LOCKSTEP_NODE_LOST',
  'LOCKSTEP_NODE_SILENT',
  'LOCKSTEP_NODE_STALLED',
  'LOCKSTEP_NODE_CROWD',
  'LOCKSTEP_NODE_FRAME',
  'LOCKSTEP_NODE_PAUSE',
  'LOCKSTEP_NODE_SEAL',
  'LOCKSTEP_NODE_SLOW',
]);
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** Before the next try of a node whose connection is too slow for the run as it goes. */
const SLOW_PAUSE_MS = 30_000;
/** A connection that held so long is a good one: when it is lost, the first pause is a short one again. */
const STEADY_MS = 10_000;

/** Takes part in a run until it is over. Resolves with the exit code that the coordinator gives for it; 0 where the node has left. */
export async function runNode(options: NodeOptions): Promise<number> {
  const timings = readLinkTimings(process.env);
  const mesh = new Mesh(options.token, timings, options.carriers, options.network);
  const node = new NodeLife(options, mesh);
  try {
    if (options.meshListen) await node.listen(options.meshListen.host, options.meshListen.port);
    let pauseMs = FIRST_PAUSE_MS;
    let doubted = '';
    for (let sinceMs = performance.now(); !options.signal.aborted; ) {
      const beganMs = performance.now();
      const outcome = await node.live();
      if (outcome.isOver) {
        options.report({ kind: 'ended', text: outcome.text });
        return outcome.exitCode;
      }
      const { error, hasAdvanced, wasSecure } = outcome;
      if (hasAdvanced) sinceMs = performance.now();
      if (hasAdvanced && performance.now() - beganMs > STEADY_MS) pauseMs = FIRST_PAUSE_MS;
      // before there is a key, a flipped bit looks like a wrong token: what comes twice is believed
      const isDoubtful = !wasSecure && error.code !== doubted;
      doubted = wasSecure ? '' : error.code;
      const isPassing = PASSING.has(error.code) || isDoubtful;
      if (!options.mayReturn() || !isPassing || performance.now() - sinceMs > options.patienceMs) throw error;
      options.report({ kind: 'lost', text: `${error.message} Trying again.` });
      await pause(error.code === 'LOCKSTEP_NODE_SLOW' ? SLOW_PAUSE_MS : pauseMs, options.signal);
      pauseMs = Math.min(LONGEST_PAUSE_MS, 1.6 * pauseMs);
    }
    return 0;
  } finally {
    mesh.close();
    await node.close();
  }
}

type Outcome =
  | ({ readonly isOver: true } & SessionEnd)
  | {
      readonly isOver: false;
      readonly error: LockstepError;
      /** Whether both sides had proved the token. */
      readonly wasSecure: boolean;
      /** Whether the node has more of the run than before. */
      readonly hasAdvanced: boolean;
    };

class NodeLife {
  #meshPort: number | undefined;
  #node: LocalNode | undefined;
  #state: StateAssembly | undefined;
  /** The dataset, while it comes. */
  #arrival: DatasetArrival | undefined;
  #runKey = '';
  #selfTest = '';

  constructor(
    private readonly options: NodeOptions,
    private readonly mesh: Mesh,
  ) {}

  async listen(host: string, port: number): Promise<void> {
    this.#meshPort = await this.mesh.listen(host, port);
  }

  async close(): Promise<void> {
    this.#arrival?.close();
    await this.#node?.close();
  }

  /** One connection, from its start to its end. */
  async live(): Promise<Outcome> {
    let hasAdvanced = false;
    const onPiece = (): void => {
      hasAdvanced = true;
    };
    let link: Link | undefined;
    try {
      const { url, tlsCa, network = webSockets } = this.options;
      link = await network.connect(url, { timings: readLinkTimings(process.env), ca: tlsCa });
      const talk = new Conversation(link, Number.POSITIVE_INFINITY);
      const terms = await greet(link, talk, this.options.token, this.#card());
      this.options.report({ kind: 'connected', text: `${url}, ${terms.model.name}, seed ${terms.seed}` });
      const { node, state } = await this.#prepare(link, talk, terms, onPiece);
      const { runHash, header } = terms;
      const session = new NodeSession(node, terms, link, this.mesh, state, this.options.signal);
      const held = state.describe(node.readSnapshot());
      link.send({ type: 'ready', runHash, checksum: header.checksum, selfTest: this.#selfTest, held });
      hasAdvanced = true;
      this.options.report({ kind: 'ready', text: `node ${terms.node} of ${terms.model.name}` });
      return { isOver: true, ...(await session.serve()) };
    } catch (error) {
      // a link that stays open keeps the process, whatever went wrong
      link?.close(undefined, error instanceof LockstepError ? error.text : 'the node failed');
      // it may come at any time: while this node gets the data, tests itself, computes
      if (link?.goodbye) return { isOver: true, text: link.goodbye.text, exitCode: link.goodbye.exitCode };
      if (!(error instanceof LockstepError)) throw error;
      return { isOver: false, error, hasAdvanced, wasSecure: link?.isSecure === true };
    }
  }

  #card() {
    const { name, workers, carriers, engine, kernels } = this.options;
    const { key } = this.mesh.identity;
    return { name, workers, carriers, engine: prepareEngine(engine, kernels), key, meshPort: this.#meshPort };
  }

  /** The data, and workers that compute this run; both are kept while the run is the same. */
  async #prepare(link: Link, talk: Conversation, terms: RunTerms, onPiece: () => void) {
    const { model, recipe, seed, runHash, header } = terms;
    const runKey = describeRun(runHash, header);
    if (this.#node && this.#state && this.#runKey === runKey) {
      link.send({ type: 'inquire', needsData: false });
      return { node: this.#node, state: this.#state };
    }
    const dataset = await this.#findDataset(link, talk, header, onPiece);
    await this.#node?.close();
    const { workers, engine, kernels, report, openThreads, onShare } = this.options;
    const onWarning = ({ message }: { message: string }): void => report({ kind: 'warning', text: message });
    const run = { model, recipe, dataset, seed };
    this.#node = new LocalNode({ ...run, workers, engine, kernels, isSharing: true, onWarning, openThreads, onShare });
    this.#runKey = runKey;
    const { length } = planContribution(inferLayers(model));
    const hasAverage = recipe.ema !== undefined;
    this.#state = new StateAssembly({ length, slots: optimizerSlots(recipe.optimizer), hasAverage });
    this.#selfTest = await this.#node.selfTest();
    return { node: this.#node, state: this.#state };
  }

  async #findDataset(link: Link, talk: Conversation, header: DatasetHeader, onPiece: () => void): Promise<Dataset> {
    const { findDataset, cacheFolder, report } = this.options;
    const tell = (text: string): void => report({ kind: 'warning', text });
    const own = (await findDataset(header)) ?? readCachedDataset(cacheFolder, header, tell);
    if (own) {
      link.send({ type: 'inquire', needsData: false });
      return own;
    }
    if (!this.#arrival?.isOf(header)) {
      this.#arrival?.close();
      this.#arrival = new DatasetArrival(cacheFolder, header);
    }
    let isFirst = true;
    const dataset = await receiveDataset(link, talk, this.#arrival, (offset) => {
      if (isFirst && offset > 0)
        report({
          kind: 'data',
          text: `goes on at byte ${formatCount(offset)} of ${formatCount(datasetBytes(header))}`,
        });
      isFirst = false;
      onPiece();
    });
    this.#arrival = undefined;
    return dataset;
  }
}

/** What workers that are kept compute: another run, other images or other pixels of them need new ones. */
export const describeRun = (runHash: string, { checksum, mean, std }: DatasetHeader): string =>
  JSON.stringify([runHash, checksum, mean, std]);

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
