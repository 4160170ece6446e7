/** A state on its way to a node, put together from its pieces. */
import { LockstepError } from '@lockstep/core/errors';
import type { NodeSnapshot } from '@lockstep/core/seams';
import { hashPieces, type MessageOf } from '@lockstep/core/wire';

/** Vectors of a replica: the state, optimizer slots, and the moving average if there is one. */
export interface ReplicaShape {
  readonly length: number;
  readonly slots: number;
  readonly hasAverage: boolean;
}

/** What has come stays when a connection ends. */
export class StateAssembly {
  #bytes: Buffer = Buffer.alloc(0);
  #step = -1;
  #at = 0;

  constructor(private readonly shape: ReplicaShape) {}

  /**
   * What is there of a state, for the coordinator to go on from.
   *
   * @param replica the node's own state, which may be the one
   */
  describe(replica: NodeSnapshot): MessageOf<'ready'>['held'] {
    if (this.#at === 0) {
      const { step, state, slots, average } = replica;
      this.#bytes = Buffer.concat([state, ...slots, ...(average ? [average] : [])].map(bufferOf));
      this.#step = step;
      this.#at = this.#bytes.length;
    }
    return { step: this.#step, bytes: this.#at, hash: hashPieces([this.#bytes.subarray(0, this.#at)]) };
  }

  /** @returns the state once its last piece is here */
  add({ step, offset, total }: MessageOf<'state'>, piece: Uint8Array): NodeSnapshot | undefined {
    const { length, slots, hasAverage } = this.shape;
    const vectors = 1 + slots + (hasAverage ? 1 : 0);
    if (offset === 0) {
      this.#bytes = Buffer.alloc(4 * vectors * length);
      this.#step = step;
      this.#at = 0;
    }
    if (total !== this.#bytes.length || step !== this.#step || offset !== this.#at || offset + piece.length > total) {
      throw new LockstepError(
        'LOCKSTEP_NODE_STATE',
        `the state of step ${step} does not fit together at byte ${offset} of ${total}.`,
      );
    }
    this.#bytes.set(piece, offset);
    this.#at += piece.length;
    return this.#at === total ? this.#finish() : undefined;
  }

  #finish(): NodeSnapshot {
    const { length, slots, hasAverage } = this.shape;
    const bytes = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    this.#at = 0;
    const vector = (index: number): Float32Array =>
      new Float32Array(bytes.buffer, bytes.byteOffset + 4 * index * length, length);
    return {
      step: this.#step,
      state: vector(0),
      slots: Array.from({ length: slots }, (_, slot) => vector(1 + slot)),
      average: hasAverage ? vector(1 + slots) : undefined,
      results: new Float32Array(0),
    };
  }
}

const bufferOf = (floats: Float32Array): Buffer => Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);
