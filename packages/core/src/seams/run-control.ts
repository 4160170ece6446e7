import type { Roster } from '../events/roster.js';

/** Who is in a run of several machines, for its owner. */
export interface RunPeers {
  roster(): Roster;
  /**
   * Takes back all strikes of nodes that call themselves so, or that come from this address; tells it in the run's events.
   *
   * @param by address of who asks
   * @returns how many nodes that are
   * @throws LockstepError LOCKSTEP_NODE_BANNED when that has strikes itself, and is not this machine
   */
  pardon(nameOrHost: string, by: string): number;
}

/**
 * What can be asked of a run from outside while it goes: pause, go on, write a checkpoint, stop. A request is taken up
 * after the step that is under way, and changes when things happen, never what comes out.
 */
export class RunControl {
  /** While other machines can take part. */
  peers: RunPeers | undefined;
  #isPaused = false;
  #isStopped = false;
  #wantsCheckpoint = false;
  readonly #listeners = new Set<() => void>();

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Whether a checkpoint was asked for that is not written yet. */
  get wantsCheckpoint(): boolean {
    return this.#wantsCheckpoint;
  }

  /** Whether the run should leave the segment that it is in. */
  get isCalling(): boolean {
    return this.#isPaused || this.#isStopped || this.#wantsCheckpoint;
  }

  /** Holds the run until `resume` or `stop`. */
  pause(): void {
    this.#set(() => (this.#isPaused = !this.#isStopped));
  }

  resume(): void {
    this.#set(() => (this.#isPaused = false));
  }

  /** Has a checkpoint written now. */
  checkpoint(): void {
    this.#set(() => (this.#wantsCheckpoint = true));
  }

  /** Ends the run in order, as Ctrl-C does: it evaluates and has reason `stopped`. */
  stop(): void {
    this.#set(() => {
      this.#isStopped = true;
      this.#isPaused = false;
    });
  }

  /** For the coordinator: the checkpoint that was asked for is dealt with. */
  takeCheckpoint(): boolean {
    const wanted = this.#wantsCheckpoint;
    this.#wantsCheckpoint = false;
    return wanted;
  }

  /** @returns a function that ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #set(change: () => void): void {
    change();
    for (const listener of this.#listeners) listener();
  }
}
