/**
 * Where the time of one step went, for one worker or for one node as a whole. The parts follow each other in this order:
 * contribute, wait, exchange, update, commit. Times are milliseconds of `performance.now()` on the coordinator's main
 * thread.
 */
export interface StepTimes {
  /** `coordinator`, or the name of the node. */
  readonly node: string;
  /** From 0; undefined: the node as a whole. */
  readonly worker: number | undefined;
  /** From 0 over the whole run. */
  readonly step: number;
  readonly beganMs: number;
  /** Computing its shards. */
  readonly contributeMs: number;
  /** At the barrier, until the shards of all workers are there. */
  readonly waitMs: number;
  /** Sending and awaiting sums of other nodes; what of it overlaps with updates counts as update. */
  readonly exchangeMs: number;
  /** Reduction and optimizer; with `clipNorm`, the norm and its barrier too. */
  readonly updateMs: number;
  /** At the barrier at the end, where the step is committed. */
  readonly commitMs: number;
}
