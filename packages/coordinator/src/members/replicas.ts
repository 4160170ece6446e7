/** The replicas of the other nodes: brought to the keeper's state when they join, and compared with it from then on. */
import { LockstepError } from '@lockstep/core/errors';
import type { NodeSnapshot, SharingNode } from '@lockstep/core/seams';
import { hashPieces, PIECE_BYTES } from '@lockstep/core/wire';
import type { Membership } from './membership.js';
import type { RemoteNode } from './remote-node.js';

export class Replicas {
  #verified: NodeSnapshot | undefined;

  constructor(
    private readonly keeper: SharingNode,
    private readonly membership: Membership,
  ) {}

  /** The last state at which all were equal; undefined before the first segment. */
  get verified(): NodeSnapshot | undefined {
    return this.#verified;
  }

  /** Takes the keeper's state for the one to go back to. */
  markVerified(): void {
    this.#verified = this.keeper.readSnapshot();
  }

  /**
   * Sends the committed state to every node that does not have it, from where the node has it already.
   *
   * @returns it, if there is such a node
   */
  bringUp(): NodeSnapshot | undefined {
    const behind = [...this.membership.nodes.values()].filter(({ hasState }) => !hasState);
    if (behind.length === 0) return undefined;
    const snapshot = this.keeper.readSnapshot();
    const { step, state, slots, average } = snapshot;
    const bytes = Buffer.concat([state, ...slots, ...(average ? [average] : [])].map(bufferOf));
    for (const node of behind) {
      let offset = findOffset(node, step, bytes);
      do {
        const piece = bytes.subarray(offset, offset + PIECE_BYTES);
        node.link.send({ type: 'state', step, offset, total: bytes.length }, piece);
        offset += PIECE_BYTES;
      } while (offset < bytes.length);
      node.hasState = true;
      node.appliedSteps = step;
    }
    return snapshot;
  }

  /** The state is not the one that the others have. */
  forget(): void {
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
function findOffset(node: RemoteNode, step: number, bytes: Buffer): number {
  const { held } = node;
  node.held = undefined;
  if (held === undefined || held.step !== step || held.bytes > bytes.length) return 0;
  return hashPieces([bytes.subarray(0, held.bytes)]) === held.hash ? held.bytes : 0;
}

const bufferOf = (floats: Float32Array): Buffer => Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);
