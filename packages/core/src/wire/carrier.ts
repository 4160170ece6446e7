/** Another way for the floats of steps than the connection between two nodes, such as MPI. */

/** What a link needs of it: the way to one other process and back. */
export interface Carrier {
  /** Sends a frame in two parts. The second may not change until `done` is called. */
  send(header: Uint8Array, payload: Uint8Array, done: () => void): void;
  /** Is given every frame that comes, in its parts; whoever asks last gets them. */
  receive(take: (parts: readonly Buffer[]) => void): void;
}

/** All ways of one process. */
export interface Carriers {
  /** Of this process. */
  readonly rank: number;
  /** @throws LockstepError LOCKSTEP_MPI when there is no such rank */
  to(rank: number): Carrier;
}
