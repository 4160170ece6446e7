/**
 * A node's connections to the other nodes of a mesh: of each pair, the one that came later calls the other. Who the other
 * one is, the coordinator has told by its key: nobody is believed to be a node without the proof by that.
 */
import { LockstepError } from '@lockstep/core/errors';
import { LOCKSTEP_VERSION } from '@lockstep/core/files';
import {
  type Carriers,
  Conversation,
  carryBy,
  createNonce,
  createProof,
  deriveFrameKey,
  type Frame,
  Identity,
  isSameProof,
  type Link,
  type LinkTimings,
  type PeerCard,
  PROTOCOL_VERSION,
} from '@lockstep/core/wire';
import { KnownKeys } from './known-keys.js';
import { type MeshPort, type Network, webSockets } from './network.js';

export interface MeshHandler {
  onFrame(from: number, frame: Frame): void;
  /** The nodes that this one has a connection to have changed. */
  onChange(nodes: readonly number[]): void;
}

const GREETING_MS = 5000;
/** Before the next call of a node that could not be reached, or did not stay: the first pause, and the longest. */
const RETRY_MS = { first: 250, longest: 30_000 };
/** Connections that last so long are called again at once. */
const LASTING_MS = 10_000;

export class Mesh {
  readonly links = new Map<number, Link>();
  readonly identity = new Identity();
  /** Of the other nodes of the run. */
  readonly #keys = new KnownKeys();
  #wanted = new Map<number, string>();
  /** Nodes that are being called, each by one loop. */
  readonly #calling = new Set<string>();
  /** Before the next call of each. */
  readonly #pausesMs = new Map<string, number>();
  #isClosed = false;
  #port: MeshPort | undefined;
  #handler: MeshHandler = { onFrame: () => {}, onChange: () => {} };
  #me = 0;

  constructor(
    private readonly token: Uint8Array,
    private readonly timings: LinkTimings,
    private readonly carriers?: Carriers | undefined,
    private readonly network: Network = webSockets,
  ) {}

  /**
   * Lets other nodes call; resolves with the port.
   *
   * @throws LockstepError LOCKSTEP_LISTEN when the port cannot be had
   */
  async listen(host: string, port: number): Promise<number> {
    this.#port = await this.network.listen(host, port, this.timings, (link) => void this.#answer(link));
    return this.#port.port;
  }

  /** Begins anew, as this node of a run. */
  begin(me: number, handler: MeshHandler): void {
    this.end();
    this.#me = me;
    this.#handler = handler;
  }

  /** Ends every connection, and calls nobody. */
  end(): void {
    this.#handler = { onFrame: () => {}, onChange: () => {} };
    this.#keys.clear();
    this.#wanted.clear();
    this.#pausesMs.clear();
    const old = [...this.links.values()];
    this.links.clear();
    for (const link of old) link.close(undefined, 'the session is over');
  }

  /**
   * Takes connections of these nodes and no others; calls those that have an address, and again when a connection is lost.
   */
  know(peers: readonly PeerCard[]): void {
    this.#keys.set(peers);
    this.#wanted = new Map(peers.flatMap(({ node, url }) => (url === undefined ? [] : [[node, url]])));
    const calls = new Set([...this.#wanted].map(([node, url]) => callOf(this.#me, node, url)));
    for (const call of this.#pausesMs.keys()) if (!calls.has(call)) this.#pausesMs.delete(call);
    for (const [node, link] of this.links) {
      if (!this.#keys.has(node)) link.close(undefined, 'that node is not in the run any more');
    }
    for (const [node, url] of this.#wanted) if (!this.links.has(node)) void this.#keepCalling(node, url, this.#me);
  }

  async #keepCalling(node: number, url: string, me: number): Promise<void> {
    const call = callOf(me, node, url);
    if (this.#calling.has(call)) return;
    this.#calling.add(call);
    while (this.#isToCall(node, url, me)) {
      await this.#pause(call);
      if (!this.#isToCall(node, url, me)) break;
      let link: Link | undefined;
      try {
        link = await this.network.connect(url, { timings: this.timings });
        await this.#introduce(link, node, url, me);
      } catch (error) {
        if (!(error instanceof LockstepError)) throw error;
        // one that is silent would stay open beside the next call
        link?.refuse(error);
      }
    }
    this.#calling.delete(call);
  }

  /** Before a call: none before the first, each time twice as long until a connection has lasted. */
  async #pause(call: string): Promise<void> {
    const pauseMs = this.#pausesMs.get(call) ?? 0;
    this.#pausesMs.set(call, Math.min(RETRY_MS.longest, Math.max(RETRY_MS.first, 2 * pauseMs)));
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
  }

  #isToCall(node: number, url: string, me: number): boolean {
    return !this.#isClosed && this.#me === me && this.#wanted.get(node) === url && !this.links.has(node);
  }

  get #rank(): { readonly rank?: number } {
    return this.carriers ? { rank: this.carriers.rank } : {};
  }

  async #introduce(link: Link, node: number, url: string, me: number): Promise<void> {
    const talk = new Conversation(link);
    const challenged = await talk.next('challenge', GREETING_MS);
    const secret = await this.#secretWith(node);
    const nonces = { listener: challenged.message.nonce, caller: createNonce() };
    const hello = { type: 'peer', node: me, called: node, nonce: nonces.caller, ...this.#rank } as const;
    const said = [challenged, { message: hello }];
    link.send({ ...hello, proof: createProof(secret, 'caller', said) });
    const welcomed = await talk.next('peer-welcome', GREETING_MS);
    const { message: welcome } = welcomed;
    if (!isSameProof(welcome.proof, createProof(secret, 'called', [...said, welcomed]))) throw isNot(node, link);
    link.secure(deriveFrameKey(secret, nonces));
    carryBy(link, this.carriers, welcome.rank);
    // meanwhile the session may have ended, or the other node called
    if (this.#isToCall(node, url, me)) this.#adopt(node, link);
    else link.close(undefined, 'it is not needed any more');
  }

  async #answer(link: Link): Promise<void> {
    const talk = new Conversation(link);
    try {
      const nonce = createNonce();
      const challenge = { type: 'challenge', protocol: PROTOCOL_VERSION, version: LOCKSTEP_VERSION, nonce } as const;
      link.send(challenge);
      const greeting = await talk.next('peer', GREETING_MS);
      const { message } = greeting;
      const nonces = { listener: nonce, caller: message.nonce };
      const said = [{ message: challenge }, greeting];
      const secret = await this.#secretWith(message.node);
      if (!isSameProof(message.proof, createProof(secret, 'caller', said))) throw isNot(message.node, link);
      if (message.called !== this.#me) {
        const text = `node ${message.called} was called, and node ${this.#me} is here now.`;
        throw new LockstepError('LOCKSTEP_NODE_ORDER', text);
      }
      const welcome = { type: 'peer-welcome', ...this.#rank } as const;
      link.send({ ...welcome, proof: createProof(secret, 'called', [...said, { message: welcome }]) });
      link.secure(deriveFrameKey(secret, nonces));
      carryBy(link, this.carriers, message.rank);
      this.#adopt(message.node, link);
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      link.refuse(error);
    }
  }

  async #secretWith(node: number): Promise<Buffer> {
    return this.identity.secretWith(this.token, await this.#keys.next(node, GREETING_MS));
  }

  #adopt(node: number, link: Link): void {
    const me = this.#me;
    const beganMs = performance.now();
    const older = this.links.get(node);
    this.links.set(node, link);
    link.onFrame = (frame) => {
      if (frame.message.type !== 'partial' && frame.message.type !== 'reduced') {
        throw new LockstepError('LOCKSTEP_NODE_ORDER', `${link.address} said ${frame.message.type} in a mesh.`);
      }
      this.#handler.onFrame(node, frame);
    };
    link.onClose = () => {
      if (this.links.get(node) !== link) return;
      this.links.delete(node);
      this.#handler.onChange([...this.links.keys()]);
      const url = this.#wanted.get(node);
      if (performance.now() - beganMs >= LASTING_MS) this.#pausesMs.delete(callOf(me, node, url ?? ''));
      if (url !== undefined && this.#me === me) void this.#keepCalling(node, url, me);
    };
    // last, so that its end is not taken for the loss of the connection
    older?.close(undefined, 'a newer connection took its place');
    this.#handler.onChange([...this.links.keys()]);
  }

  close(): void {
    this.#isClosed = true;
    for (const link of this.links.values()) link.close(undefined, 'the node leaves');
    this.#port?.close();
  }
}

const callOf = (me: number, node: number, url: string): string => `${me} ${node} ${url}`;

const isNot = (node: number, { address }: Link): LockstepError =>
  new LockstepError(
    'LOCKSTEP_NODE_IDENTITY',
    `${address} does not prove that it is node ${node}: it holds another token, or has not the key that the coordinator told of that node.`,
  );
