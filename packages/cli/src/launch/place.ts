/** Where a process stands among the processes of its run, and what tells it so. */

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a launcher says about one of the processes that it has started. Rank 0 becomes the coordinator, the others nodes. */
export interface Place {
  /** 0 to size - 1. */
  readonly rank: number;
  /** Processes of the run, the coordinator's among them. */
  readonly size: number;
  /** The same two among the processes on this machine. */
  readonly localRank: number;
  readonly localSize: number;
  /** Name or address of rank 0's machine; undefined when the launcher does not say. */
  readonly host: string | undefined;
  readonly port: number;
  /** Cores that this process has for itself; undefined when those on this machine share what they see. */
  readonly cores?: number | undefined;
  /** Whether the launcher has bound it to processors; it may share those with others all the same. */
  readonly isBound?: boolean | undefined;
  /** How often the launcher has started this run before. */
  readonly restarts?: number | undefined;
  /** What may not be as it was meant, in one line. */
  readonly note?: string | undefined;
}

/** A program that starts the processes of a run: the seam behind which each convention is one small file. */
export interface Launcher {
  /** For `--launcher`. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** The variables by which it is told. */
  readonly signs: readonly string[];
  isPresent(env: Environment): boolean;
  /** @throws LockstepError LOCKSTEP_LAUNCH_VARIABLE naming the variable that is missing or wrong */
  readPlace(env: Environment): Place;
  /** What to do when the address of rank 0's machine is not known. */
  readonly addressHint: string;
  /** The address behind a host name that only the launcher knows; undefined when it does not know it either. */
  findAddress?(host: string): Promise<string | undefined>;
  /** Whether `host` may be another machine than rank 0's, so that rank 0 has to see that it is its own. */
  readonly isHostGuessed?: boolean;
}

/** Where nothing but the job's number tells runs apart: the last 4,096 ports, above those that systems hand out. */
export const portOfJob = (job: number): number => 61_440 + (job % 4096);

/** The port when neither a job's number nor anything else says one. */
export const DEFAULT_PORT = 7400;
