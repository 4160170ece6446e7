/** The replicas of the other nodes: brought to the keeper's state before they join, and compared with it from then on. */
import { LockstepError } from '@lockstep/core/errors';
import type { NodeSnapshot, SharingNode } from '@lockstep/core/seams';
import { hashPieces } from '@lockstep/core/wire';
import type { Membership } from './membership.js';
import type { RemoteNode } from './remote-node.js';
import { offerState, type StateBytes, sendState } from './state-transfer.js';

export class Replicas {
  #verified: NodeSnapshot | undefined;
  /** Grows where the run goes to a state that does not follow from the last one. */
  #lineage = 0;

  /** @param limitMs how long a step may wait for the state of a node that joins */
  constructor(
    private readonly keeper: SharingNode,
    private readonly membership: Membership,
    private readonly limitMs: () => number,
  ) {}

  /** The last state at which all were equal; undefined before the first segment. */
  get verified(): NodeSnapshot | undefined {
    return this.#verified;
  }

  /** Takes the keeper's state for the one to go back to. */
  markVerified(): void {
    this.#verified = this.keeper.readSnapshot();
  }

  /** Sends the committed state to a node that waits to be taken in, while steps go on. */
  offer(node: RemoteNode): void {
    const state = bytesOf(this.keeper.readSnapshot());
    const from = findOffset(node, state);
    node.isRestored = false;
    node.offered = { step: state.step, lineage: this.#lineage, isWhole: from === 0 };
    offerState(node, state, from, this.limitMs);
  }

  /**
   * Whether a node that has the state it was offered may be taken in: it is the committed one, or all of it has come in the
   * time for which a step may wait for it. Else it is offered the state again, to see whether it can.
   */
  mayJoin(node: RemoteNode): boolean {
    const mayJoin = node.offered?.isWhole === true || this.#isCommitted(node);
    if (!mayJoin) this.offer(node);
    return mayJoin;
  }

  #isCommitted({ offered }: RemoteNode): boolean {
    return offered?.lineage === this.#lineage && offered.step === this.keeper.progress().committed;
  }

  /**
   * Sends the committed state to every node that does not have it: one that joins may have been offered it, else it gets it
   * now, and the step waits.
   *
   * @returns it, if there was such a node
   */
  bringUp(): NodeSnapshot | undefined {
    const behind = [...this.membership.nodes.values()].filter(({ hasState }) => !hasState);
    if (behind.length === 0) return undefined;
    const snapshot = this.keeper.readSnapshot();
    const state = bytesOf(snapshot);
    for (const node of behind) {
      if (!this.#isCommitted(node)) void sendState(node, state, 0, Number.POSITIVE_INFINITY);
      node.offered = undefined;
      node.hasState = true;
      node.appliedSteps = state.step;
    }
    return snapshot;
  }

  /** The state is not the one that the others have. */
  forget(): void {
    this.#lineage += 1;
    for (const node of this.membership.nodes.values()) node.hasState = false;
  }

  /**
   * Sends away who has another state than the keeper. What such a node contributed since the last comparison may be wrong
   * too, so the run goes back to there; not for one on probation, which has contributed nothing.
   *
   * @param applied hashes of the others' states after the step
   * @returns the step that the run went back to; undefined when all are equal
   */
  compare(step: number, hash: string, applied: ReadonlyMap<number, string | undefined>): number | undefined {
    const different = [...applied].filter(([, theirs]) => theirs !== hash);
    const hasContributed = different.some(([id]) => this.membership.nodes.get(id)?.isOnProbation !== true);
    for (const [id, theirs] of different) {
      const text = `after step ${step} its replica has hash ${theirs?.slice(0, 16)}, the coordinator's ${hash.slice(0, 16)}: its results are not used.`;
      this.membership.evict(id, new LockstepError('LOCKSTEP_NODE_REPLICA', text));
    }
    for (const [id, theirs] of applied) if (theirs === hash) this.membership.agree(id);
    if (!hasContributed || !this.#verified) return undefined;
    this.keeper.restore(this.#verified);
    this.forget();
    return this.#verified.step;
  }
}

/** Bytes that a node has of this state: it says so once, when it comes. */
function findOffset(node: RemoteNode, { step, bytes }: StateBytes): number {
  const { held } = node;
  node.held = undefined;
  if (held === undefined || held.step !== step || held.bytes > bytes.length) return 0;
  return hashPieces([bytes.subarray(0, held.bytes)]) === held.hash ? held.bytes : 0;
}

const bytesOf = ({ step, state, slots, average }: NodeSnapshot): StateBytes => ({
  step,
  bytes: Buffer.concat([state, ...slots, ...(average ? [average] : [])].map(bufferOf)),
});

const bufferOf = (floats: Float32Array): Buffer => Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);
