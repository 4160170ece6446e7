/** A node that is ready: from here on the coordinator says what to do. */

import { LockstepError } from '@lockstep/core/errors';
import { COORDINATOR_ID, type NodeSnapshot, type StepParticipant, SupersededError } from '@lockstep/core/seams';
import { type Assignment, type Frame, isAmongNodes, type Link, type MessageOf } from '@lockstep/core/wire';
import type { LocalNode } from '../node/local-node.js';
import type { RunTerms } from './greeting.js';
import type { Mesh } from './mesh.js';
import type { StateAssembly } from './replica-state.js';

/** A step that is not applied so long after its shards were computed is one to tell about. */
const TELL_AFTER_MS = 50;

/** Why the life of a node is over, and the exit code that this is to a launcher. */
export type SessionEnd = Pick<MessageOf<'end'>, 'text' | 'exitCode'>;

export class NodeSession {
  readonly #participant: StepParticipant;
  #restored: NodeSnapshot | undefined;
  /** Nodes to which there is a connection. */
  #reachable: number[] = [];
  /** What the coordinator said last, which may be for the step after the one that is under way. */
  #told: Assignment | undefined;
  /** The attempt that is under way, or was last. */
  #begun: Assignment | undefined;
  #telling: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #settle: { readonly resolve: (end: SessionEnd) => void; readonly reject: (error: Error) => void } | undefined;

  constructor(
    private readonly node: LocalNode,
    private readonly terms: RunTerms,
    private readonly link: Link,
    private readonly mesh: Mesh,
    /** Of a connection before this one too. */
    private readonly state: StateAssembly,
    private readonly signal: AbortSignal,
  ) {
    const linkTo = (id: number): Link | undefined => (id === COORDINATOR_ID ? link : mesh.links.get(id));
    this.#participant = node.share(terms.node, linkTo, {
      onBegan: (assignment) => {
        this.#begun = assignment;
        node.beginShared({ epoch: 0, firstStep: assignment.step, endStep: assignment.step });
      },
      onComputing: ({ step, generation }) => link.send({ type: 'computing', step, generation }),
      onContributed: (assignment, computeMs) => this.#tellLate(assignment, computeMs),
      onFault: (id, error) => this.#tellFault(id, error),
    });
    mesh.begin(terms.node, {
      onFrame: (from, frame) => this.#takeSum(from, frame),
      onChange: (nodes) => {
        for (const node of this.#reachable) if (!nodes.includes(node)) this.#participant.forget(node);
        this.#reachable = [...nodes];
        link.send({ type: 'reachable', nodes: this.#reachable });
      },
    });
  }

  /** Takes part in steps; resolves with why it is over. */
  async serve(): Promise<SessionEnd> {
    const { signal } = this;
    const leave = (): void => {
      this.link.send({ type: 'leaving', text: 'it was asked to' });
      this.#settle?.resolve({ text: 'left the run', exitCode: 0 });
    };
    try {
      return await new Promise<SessionEnd>((resolve, reject) => {
        this.#settle = { resolve, reject };
        this.link.onFrame = (frame) => this.#take(frame);
        this.link.onClose = reject;
        signal.addEventListener('abort', leave);
        if (signal.aborted) leave();
        if (this.link.closed) reject(this.link.closed);
      });
    } finally {
      signal.removeEventListener('abort', leave);
      clearTimeout(this.#telling);
      this.link.close(undefined, 'the session is over');
      this.mesh.end();
      await this.#participant.close();
      await this.#running.catch(() => {});
    }
  }

  #take({ message, payload }: Frame): void {
    switch (message.type) {
      case 'state':
        this.#takeState(message, payload);
        return;
      case 'assign':
        this.#told = message;
        this.#running = this.#running.then(() => this.#run(message)).catch((error) => this.#settle?.reject(error));
        // one that is under way ends as soon as it can
        if (this.#restored) this.#participant.cancel();
        return;
      case 'partial':
      case 'reduced':
        this.#takeSum(COORDINATOR_ID, { message, payload });
        return;
      case 'peers':
        this.mesh.know(message.peers);
        return;
      default:
        throw new LockstepError('LOCKSTEP_NODE_ORDER', `the coordinator said ${message.type} to a node that is ready.`);
    }
  }

  #takeState(message: MessageOf<'state'>, payload: Uint8Array): void {
    const restored = this.state.add(message, payload);
    if (!restored) return;
    this.#restored = restored;
    this.link.send({ type: 'restored', step: restored.step });
  }

  async #run(assignment: Assignment): Promise<void> {
    if (this.#isOutdated(assignment)) return;
    if (this.#restored) {
      await this.#participant.settle();
      this.node.restore(this.#restored);
      this.#restored = undefined;
    }
    // not awaited: the next assignment may end it, or follow it
    void this.#participate(assignment);
  }

  /** Whether a later attempt at this step, or at one before it, was told. */
  #isOutdated({ step, generation }: Assignment): boolean {
    return this.#told !== undefined && this.#told.generation > generation && this.#told.step <= step;
  }

  async #participate(assignment: Assignment): Promise<void> {
    const { step, generation } = assignment;
    try {
      const { computeMs, updateMs, exchangeMs, stepMs, hash } = await this.#participant.run(assignment);
      clearTimeout(this.#telling);
      const times = { computeMs, updateMs, exchangeMs, stepMs };
      this.#tellApplied(assignment, {
        type: 'applied',
        step,
        generation,
        ...times,
        ...(hash !== undefined && { hash }),
      });
    } catch (error) {
      if (error instanceof SupersededError) return;
      this.#settle?.reject(error as Error);
    }
  }

  /** The coordinator waits for this only where it does not hear of it by this node's sums of the next step. */
  #tellApplied(assignment: Assignment, applied: MessageOf<'applied'>): void {
    const isComputing = assignment.members.some(
      ({ node, range }) => node === this.terms.node && range.end > range.begin,
    );
    if (isComputing && !assignment.withHash && !isAmongNodes(assignment)) this.link.sendLater(applied);
    else this.link.send(applied);
  }

  /** Says that the shards are computed if the step then takes long: `applied` says so too, and mostly comes at once. */
  #tellLate({ step, generation }: Assignment, computeMs: number): void {
    clearTimeout(this.#telling);
    const tell = (): void => this.link.send({ type: 'contributed', step, generation, computeMs });
    this.#telling = setTimeout(tell, TELL_AFTER_MS);
  }

  #takeSum(from: number, frame: Frame): void {
    try {
      this.#participant.receive(from, frame);
    } catch (error) {
      if (error instanceof LockstepError) this.#tellFault(from, error);
      // that may be nobody's fault: the coordinator finds out, over connections that stay
      if (!(error instanceof LockstepError) || error.code !== 'LOCKSTEP_NODE_NOT_FINITE') throw error;
    }
  }

  #tellFault(node: number, { code, text }: LockstepError): void {
    if (!this.#begun) return;
    const { step, generation } = this.#begun;
    const fault: MessageOf<'fault'> = { type: 'fault', step, generation, node, code, text: text.slice(0, 2000) };
    this.link.send(fault);
  }
}
