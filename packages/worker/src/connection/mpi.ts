/**
 * MPI as the way of floats: the frames of steps go from rank to rank by MPI_Isend and matched receives, so that they use
 * what MPI uses (InfiniBand, shared memory); native/mpi.cc. Everything else stays on the connections, so who takes part
 * and when a step ends is decided as without it. If a rank dies, MPI ends all of them.
 */
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { LockstepError } from '@lockstep/core/errors';
import type { Carrier, Carriers } from '@lockstep/core/wire';
import { inClone } from '@lockstep/kernels';
import { RankFrames } from './rank-frames.js';

/** native/mpi.cc. */
interface Addon {
  /** Returns [rank, size] when all ranks have called it. */
  open(tell: (kind: number, rank: number, id: number, header: Buffer, payload: Buffer) => void): [number, number];
  send(rank: number, id: number, header: Buffer, payload: Buffer): void;
  close(): void;
}

const kind = { frame: 0, sent: 1, closed: 2 } as const;
const FILE = fileURLToPath(new URL('../../build/mpi.node', import.meta.url));

/** What Open MPI, MPICH and its kin, and PMIx set for the processes that they start. */
const STARTED = ['OMPI_COMM_WORLD_SIZE', 'PMI_SIZE', 'PMI_RANK', 'PMIX_RANK'];

export class MpiWorld implements Carriers {
  readonly rank: number;
  readonly size: number;
  readonly #frames = new RankFrames();
  /** Payloads on their way, which keep their memory so long. */
  readonly #sending = new Map<number, { readonly payload: Uint8Array; readonly done: () => void }>();
  #nextId = 0;
  #onClosed: () => void = () => {};

  private constructor(private readonly addon: Addon) {
    [this.rank, this.size] = addon.open((what, rank, id, header, payload) => {
      if (what === kind.frame) this.#frames.take(rank, [header, payload]);
      else if (what === kind.sent) this.#finish(id);
      else this.#onClosed();
    });
  }

  /**
   * Joins the processes that `mpirun` has started; waits until all have come this far.
   *
   * @throws LockstepError LOCKSTEP_MPI when the addon is not built, or there is no other process
   */
  static open(): MpiWorld {
    const addon = loadAddon();
    const world = STARTED.some((name) => process.env[name] !== undefined) ? new MpiWorld(addon) : undefined;
    if (world && world.size > 1) return world;
    const text = 'this process is alone: --transport mpi is for processes that mpirun, or srun with MPI, has started.';
    throw new LockstepError('LOCKSTEP_MPI', text);
  }

  to(rank: number): Carrier {
    if (rank >= this.size || rank === this.rank) {
      throw new LockstepError('LOCKSTEP_MPI', `a node says that it is rank ${rank} of ${this.size} in MPI's world.`);
    }
    return {
      send: (header, payload, done) => this.#send(rank, header, payload, done),
      receive: (take) => this.#frames.listen(rank, take),
    };
  }

  #send(rank: number, header: Uint8Array, payload: Uint8Array, done: () => void): void {
    const id = this.#nextId;
    this.#nextId = (id + 1) >>> 0;
    this.#sending.set(id, { payload, done });
    this.addon.send(rank, id, viewOf(header), viewOf(payload));
  }

  #finish(id: number): void {
    const sent = this.#sending.get(id);
    this.#sending.delete(id);
    sent?.done();
  }

  /** Resolves when what was given to it is sent and all ranks have come this far. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onClosed = resolve;
      this.addon.close();
    });
  }
}

const viewOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function loadAddon(): Addon {
  const loaded = { exports: {} };
  try {
    // for all to see: the plug-ins that MPI loads look for its symbols
    process.dlopen(loaded, FILE, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL);
  } catch (error) {
    throw new LockstepError(
      'LOCKSTEP_MPI',
      `the MPI transport is not built here. Install an MPI with its headers (Debian: libopenmpi-dev), then: ${inClone('npm run build')}, and start the run from there`,
      { cause: error },
    );
  }
  return loaded.exports as Addon;
}
