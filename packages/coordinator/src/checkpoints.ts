/** When a run writes checkpoints, and which of them it keeps. */
import { dirname, join, resolve } from 'node:path';
import {
  type Checkpoint,
  checkpointName,
  type EpochEvent,
  type FoundCheckpoint,
  findBestEpoch,
  LockstepError,
  listCheckpoints,
  type MetricName,
  prepareCheckpointFolder,
  removeCheckpoints,
  writeCheckpoint,
  writeFileAtomically,
} from '@lockstep/core';

export interface CheckpointPolicy {
  readonly folder: string;
  /** Write one after every so many epochs (default: 1), or steps of the run. */
  readonly every?: { readonly count: number; readonly unit: 'steps' | 'epochs' } | undefined;
  /** How many of the newest to keep (default: 3). */
  readonly keep?: number | undefined;
  /** Also write, and keep, the checkpoint of the best epoch by this. */
  readonly best?: MetricName | undefined;
}

const DEFAULT_KEEP = 3;
/** Says which checkpoint is the best, and by what. */
const BEST_FILE = 'best.json';

export class Checkpoints {
  readonly #everySteps: number;
  /** Step of the last one written or resumed from. */
  #last: number;

  /**
   * @param resume what the run goes on from
   * @throws LockstepError LOCKSTEP_CHECKPOINT_WRITE when the folder cannot be written to, LOCKSTEP_CHECKPOINT_EXISTS when
   *   it holds those of another run
   */
  constructor(
    private readonly policy: CheckpointPolicy,
    private readonly epochSteps: number,
    resume: FoundCheckpoint | undefined,
  ) {
    const { count, unit } = policy.every ?? { count: 1, unit: 'epochs' };
    this.#everySteps = unit === 'epochs' ? count * epochSteps : count;
    this.#last = resume?.checkpoint.info.step ?? 0;
    checkOwnFolder(policy.folder, resume);
    prepareCheckpointFolder(policy.folder);
  }

  /** The step after `step` at which the next one is due. */
  nextStep(step: number): number {
    return (Math.floor(step / this.#everySteps) + 1) * this.#everySteps;
  }

  /**
   * Whether to write one at this step.
   *
   * @param epochs so far; the last one may have ended with this step
   */
  isDue(step: number, epochs: readonly EpochEvent[], isLast: boolean): boolean {
    if (step === this.#last) return false;
    return isLast || step % this.#everySteps === 0 || step === this.bestStep(epochs);
  }

  /** The step after which the best epoch so far ended. */
  bestStep(epochs: readonly EpochEvent[]): number | undefined {
    const best = this.policy.best && findBestEpoch(epochs, this.policy.best);
    return best && best.epoch * this.epochSteps;
  }

  /**
   * Writes one and removes those that are too many; never the one that it has just written.
   *
   * @returns its path
   * @throws LockstepError LOCKSTEP_CHECKPOINT_WRITE; all earlier ones are still there then
   */
  write(checkpoint: Checkpoint): string {
    const { folder, keep = DEFAULT_KEEP } = this.policy;
    const { step, epochs } = checkpoint.info;
    const path = writeCheckpoint(folder, checkpoint);
    this.#last = step;
    const best = this.bestStep(epochs);
    if (best === step) this.#noteBest(step, epochs);
    const steps = listCheckpoints(folder).filter((other) => other !== step && other !== best);
    removeCheckpoints(folder, keep > 1 ? steps.slice(0, -(keep - 1)) : steps);
    return path;
  }

  #noteBest(step: number, epochs: readonly EpochEvent[]): void {
    const metric = this.policy.best as MetricName;
    const note = { checkpoint: checkpointName(step), metric, ...findBestEpoch(epochs, metric) };
    const path = join(this.policy.folder, BEST_FILE);
    try {
      writeFileAtomically(path, [Buffer.from(`${JSON.stringify(note, null, 2)}\n`)]);
    } catch (cause) {
      const text = `cannot write ${path}: ${(cause as Error).message}. The checkpoint itself is written.`;
      throw new LockstepError('LOCKSTEP_CHECKPOINT_WRITE', text, { cause });
    }
  }
}

/** A folder of checkpoints belongs to one run: another would remove the first one's as too old. */
function checkOwnFolder(folder: string, resume: FoundCheckpoint | undefined): void {
  if (resume !== undefined && resolve(dirname(resume.path)) === resolve(folder)) return;
  const last = listCheckpoints(folder).at(-1);
  if (last === undefined) return;
  throw new LockstepError(
    'LOCKSTEP_CHECKPOINT_EXISTS',
    `${folder} already holds checkpoints, up to step ${last}. Go on from them with --resume ${folder}, or choose another --checkpoint folder.`,
  );
}
