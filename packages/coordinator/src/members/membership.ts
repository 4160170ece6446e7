/** Who is in the run: admits nodes, sends them away, remembers who broke a rule, and tells what happened. */
import { LockstepError } from '@lockstep/core/errors';
import type { NodeEvent, Roster } from '@lockstep/core/events';
import type { RunPeers } from '@lockstep/core/seams';
import { countOf } from '@lockstep/core/text';
import { Conversation, type Frame, type Link, type MessageOf } from '@lockstep/core/wire';
import {
  type AdmissionTerms,
  type FirstWords,
  greetNode,
  hearGreeting,
  hearInquiry,
  prepareNode,
} from './admission.js';
import { Conduct } from './conduct.js';
import { Farewells, type FarewellTerms } from './farewells.js';
import { BLAMELESS, leftFor } from './partings.js';
import { Refusals } from './refusals.js';
import { hostOf, nodeKey, RemoteNode } from './remote-node.js';
import { answerVisit, checkVisit, describeRoster } from './visits.js';

/** What membership tells the loop that drives the steps. */
export interface MembershipHandler {
  onFrame(node: RemoteNode, frame: Frame): void;
  /** A node that took part in steps is gone; `code` says why. */
  onGone(node: RemoteNode, code: string): void;
  /** A node has all that it needs but the state of the run. */
  onAdmitted(node: RemoteNode): void;
  /** A node is ready to be taken in, or one that was ready is gone. */
  onReady(): void;
  emit(event: NodeEvent): void;
  /** Step that is under way, for events. */
  stepNow(): number;
}

/** Nodes at a time. */
const MAX_NODES = 128;

export class Membership implements RunPeers {
  readonly nodes = new Map<number, RemoteNode>();
  /** Admitted, to be taken in at a step boundary when they have the state. */
  readonly #ready: RemoteNode[] = [];
  /** Connections of nodes that get the data or test themselves. */
  readonly #preparing = new Map<Link, string>();
  readonly #farewells = new Farewells();
  readonly #conduct = new Conduct();
  #nextId = 1;
  readonly #refusals: Refusals;
  #isClosed = false;
  #goodbye: MessageOf<'end'> | undefined;

  constructor(
    private readonly terms: AdmissionTerms,
    private readonly handler: MembershipHandler,
  ) {
    this.#refusals = new Refusals((event) => handler.emit(event));
  }

  linkTo(node: number): Link | undefined {
    return this.nodes.get(node)?.link;
  }

  get readyCount(): number {
    return this.#ready.filter(({ isRestored }) => isRestored).length;
  }

  /** Those that take part and those that wait for it. */
  #all(): RemoteNode[] {
    return [...this.nodes.values(), ...this.#ready];
  }

  /** Shakes hands with a connection; resolves when it is a node, is turned away, or is told that the run is over. */
  async admit(link: Link): Promise<void> {
    const talk = new Conversation(link);
    try {
      const id = this.#nextId++;
      const check = ({ name }: MessageOf<'hello'>): void => {
        // who holds the token may know how the run has ended
        if (!this.#isClosed) this.#conduct.check({ host: hostOf(link.address), saidName: name });
      };
      const first = await hearGreeting(link, talk);
      const { message } = first.greeting;
      if (message.type === 'ask') {
        this.#answer(link, message, first);
        return;
      }
      const hello = greetNode(link, { ...first, greeting: { ...first.greeting, message } }, this.terms, id, check);
      const ready = await this.#prepare(link, talk, nodeKey(hostOf(link.address), hello.name));
      if (ready === undefined) return;
      const node = new RemoteNode(id, link, hello, this.#nameFor(hello.name));
      node.held = ready.held;
      // others may have been sent away since its hello
      check(hello);
      if (this.nodes.size + this.#ready.length >= MAX_NODES) {
        throw new LockstepError('LOCKSTEP_NODE_CROWD', `the run has ${countOf(this.nodes.size, 'node')} already.`);
      }
      this.#take(node);
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      link.refuse(error);
      this.#refusals.note({ address: link.address, code: error.code, reason: error.text });
    }
  }

  /** Tells a visitor who is in the run; takes back the strikes of whom he pardons. */
  #answer(link: Link, ask: MessageOf<'ask'>, first: FirstWords): void {
    checkVisit(ask, first, this.terms.token);
    const pardoned = ask.pardon === undefined ? 0 : this.pardon(ask.pardon, link.address);
    answerVisit(link, first, this.terms.token, { ...this.roster(), pardoned });
  }

  pardon(nameOrHost: string, by: string): number {
    const count = this.#conduct.pardon(nameOrHost, hostOf(by));
    if (count > 0) this.handler.emit({ event: 'node-pardoned', node: nameOrHost, address: by, count });
    return count;
  }

  roster(): Roster {
    return describeRoster({
      terms: this.terms,
      step: this.handler.stepNow(),
      nodes: [...this.nodes.values()],
      waiting: this.#ready,
      struck: this.#conduct.list(),
      refused: this.#refusals.list(),
    });
  }

  /** @returns undefined when the run is over, which the node has been told */
  async #prepare(link: Link, talk: Conversation, key: string): Promise<MessageOf<'ready'> | undefined> {
    this.#farewells.arrive(key);
    try {
      const inquiry = await hearInquiry(talk);
      if (this.#isClosed) {
        this.#part(link, key);
        return undefined;
      }
      this.#preparing.set(link, key);
      return await prepareNode(link, talk, this.terms, inquiry);
    } catch (error) {
      // told while it prepared itself
      if (this.#isClosed && !link.isOpen && this.#preparing.has(link)) return undefined;
      if (error instanceof LockstepError && BLAMELESS.has(error.code)) this.#farewells.lose(key);
      throw error;
    } finally {
      this.#preparing.delete(link);
      this.#farewells.settled();
    }
  }

  /** One that no other node has, nor the coordinator: of two that call themselves lab the second is lab#2. */
  #nameFor(said: string): string {
    const taken = new Set(['coordinator', ...this.#all().map(({ name }) => name)]);
    for (let number = 1; ; number++) {
      const name = number === 1 ? said : `${said}#${number}`;
      if (!taken.has(name)) return name;
    }
  }

  #take(node: RemoteNode): void {
    node.link.onFrame = (frame) => {
      if (frame.message.type === 'leaving') {
        node.hasLeft = true;
        node.link.close(undefined, `${node.name} left: ${frame.message.text}`);
      } else if (frame.message.type === 'restored') {
        node.isRestored = true;
        this.handler.onReady();
      } else this.handler.onFrame(node, frame);
    };
    node.link.onClose = (reason, isTheirs) => this.#lose(node, isTheirs ? leftFor(reason) : reason);
    this.#ready.push(node);
    this.handler.onAdmitted(node);
  }

  /** Takes in the nodes that wait and have a state, at a step boundary. */
  takeReady(mayJoin: (node: RemoteNode) => boolean): RemoteNode[] {
    const joined = this.#ready.filter((node) => node.isRestored && node.link.isOpen && mayJoin(node));
    for (const node of joined) {
      this.#ready.splice(this.#ready.indexOf(node), 1);
      this.nodes.set(node.id, node);
      node.isOnProbation = this.#conduct.isOnProbation(node);
      const { name, address, workers, engine } = node;
      this.handler.emit({ event: 'node-joined', node: name, address, workers, engine, step: this.handler.stepNow() });
    }
    if (joined.length > 0) this.#introduce();
    return joined;
  }

  /** Sends a node away, if it is still here, with a reason that it is told. */
  evict(id: number, reason: LockstepError): void {
    this.nodes.get(id)?.link.refuse(reason);
  }

  /** Nodes that may be dealt shards. */
  listTrusted(): number[] {
    return [...this.nodes.values()].filter(({ isOnProbation }) => !isOnProbation).map(({ id }) => id);
  }

  /** What only nodes on probation could compute, the keeper does even if it should not. */
  get areAllOnProbation(): boolean {
    return this.nodes.size > 0 && this.listTrusted().length === 0;
  }

  /** A comparison of a node's replica has agreed. */
  agree(id: number): void {
    const node = this.nodes.get(id);
    if (node === undefined) return;
    node.isOnProbation = false;
    this.#conduct.agree(node);
  }

  /** Nodes that have not applied the steps before this one. */
  listBehind(step: number): number[] {
    return [...this.nodes.values()].filter((n) => n.hasState && n.appliedSteps < step).map(({ id }) => id);
  }

  #lose(node: RemoteNode, reason: LockstepError): void {
    const { name, address } = node;
    if (BLAMELESS.has(reason.code) && !node.hasLeft) this.#farewells.lose(node.key);
    const waiting = this.#ready.indexOf(node);
    if (waiting >= 0) {
      this.#ready.splice(waiting, 1);
      if (!node.hasLeft) this.#refusals.note({ address, code: reason.code, reason: reason.text });
      this.handler.onReady();
    }
    if (!this.nodes.delete(node.id)) return;
    this.#introduce();
    const step = this.handler.stepNow();
    if (reason.code === 'LOCKSTEP_NODE_LOST') {
      this.handler.emit({ event: 'node-left', node: name, address, step, reason: reason.text });
    } else {
      this.handler.emit({ event: 'node-evicted', node: name, address, step, code: reason.code, reason: reason.text });
    }
    if (!BLAMELESS.has(reason.code)) this.#conduct.strike(node, reason);
    this.handler.onGone(node, reason.code);
  }

  /**
   * Tells every node the keys of all others, and where those are that came before it and can be part of a mesh: of one that
   * nobody has reached, its first caller alone; where that finds no port of the run, no other node calls.
   */
  #introduce(): void {
    for (const node of this.nodes.values()) {
      const others = [...this.nodes.values()].filter((other) => other !== node);
      const peers = others.map((other) => {
        const isKnown = other.isReached || this.#firstCallerOf(other) === node.id;
        const url = other.id < node.id && isKnown ? other.meshUrlFor(node) : undefined;
        return { node: other.id, key: other.publicKey, ...(url !== undefined && { url }) };
      });
      node.link.send({ type: 'peers', peers });
    }
  }

  #firstCallerOf({ id }: RemoteNode): number {
    return Math.min(...[...this.nodes.keys()].filter((other) => other > id));
  }

  /** What a node says of its connections: of who came before it, that the port told is one of the run. */
  noteReachable(node: RemoteNode, reachable: readonly number[]): void {
    node.reachable = new Set(reachable);
    const first = [...this.nodes.values()].filter(
      (other) => !other.isReached && node.reachable.has(other.id) && this.#firstCallerOf(other) === node.id,
    );
    for (const other of first) other.isReached = true;
    if (first.length > 0) this.#introduce();
  }

  /** Whether every pair of nodes has a connection. */
  get isMesh(): boolean {
    const all = [...this.nodes.values()];
    return all.every(({ id, reachable }) => all.every((other) => other.id === id || reachable.has(other.id)));
  }

  /** Ends every connection, with a goodbye or without one; who comes from now on gets the same. */
  close(goodbye: MessageOf<'end'> | undefined): void {
    this.#isClosed = true;
    this.#goodbye = goodbye;
    this.#refusals.close();
    for (const { link, key } of this.#all()) {
      link.onClose = () => {};
      this.#part(link, key);
    }
    for (const [link, key] of this.#preparing) this.#part(link, key);
    this.nodes.clear();
    this.#ready.length = 0;
  }

  #part(link: Link, key: string): void {
    if (this.#goodbye) void this.#farewells.part(link, key, this.#goodbye);
    else link.close(undefined, 'the coordinator ends');
  }

  /** Resolves when all whom it concerns know how the run has ended, or have had the time for it. */
  settle(terms: FarewellTerms): Promise<void> {
    return this.#goodbye ? this.#farewells.settle(terms) : Promise.resolve();
  }
}
