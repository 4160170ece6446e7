/** When a run writes checkpoints, and which of them it keeps. */

import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { LockstepError } from '@lockstep/core/errors';
import { type EpochEvent, findBestEpoch, type MetricName } from '@lockstep/core/events';
import { writeFileAtomically } from '@lockstep/core/files';
import type { CheckpointPolicy, OnWarning } from '@lockstep/core/seams';
import {
  type Checkpoint,
  checkpointName,
  type FoundCheckpoint,
  isWhole,
  listCheckpoints,
  removeCheckpoints,
  setApart,
  signCheckpoint,
  writeCheckpoint,
} from '@lockstep/core/state';
import { nounOf } from '@lockstep/core/text';
import type { HeldFolder } from './held-folder.js';

const DEFAULT_KEEP = 3;
/** Says which checkpoint is the best, and by what. */
const BEST_FILE = 'best.json';

export class Checkpoints {
  readonly #everySteps: number;
  /** Step of the last one written or resumed from. */
  #last: number;
  /** Of checkpoints that were found whole: their signs, by step. */
  readonly #whole = new Map<number, string | undefined>();

  /** @param resume what the run goes on from */
  constructor(
    private readonly policy: CheckpointPolicy,
    private readonly folder: HeldFolder,
    private readonly epochSteps: number,
    resume: FoundCheckpoint | undefined,
  ) {
    const { count, unit } = policy.every ?? { count: 1, unit: 'epochs' };
    this.#everySteps = unit === 'epochs' ? count * epochSteps : count;
    this.#last = resume?.checkpoint.info.step ?? 0;
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
   * Writes one and removes those that are too many; never the one that it has just written, nor those of another branch.
   *
   * @param onWarning told what was set apart
   * @returns its path
   * @throws LockstepError LOCKSTEP_CHECKPOINT_WRITE or _LOCKED; all earlier ones are still there then
   */
  write(checkpoint: Checkpoint, onWarning: OnWarning): string {
    this.folder.check();
    const { step, epochs } = checkpoint.info;
    const path = writeCheckpoint(this.folder.path, checkpoint, (point) => {
      if (point === 'synced') this.#setNewerApart(onWarning);
    });
    this.#last = step;
    this.#whole.set(step, signCheckpoint(path));
    const best = this.bestStep(epochs);
    if (best === step) this.#noteBest(step, epochs);
    this.#removeOld(step, best);
    return path;
  }

  /**
   * A run that goes on from an older checkpoint leaves newer ones behind: what was another branch, with --override. They
   * are not this run's to remove, and `--resume` would take them for its newest.
   */
  #setNewerApart(onWarning: OnWarning): void {
    const newer = listCheckpoints(this.folder.path).filter((step) => step > this.#last && this.#isWhole(step));
    if (newer.length === 0) return;
    const branch = setApart(this.folder.path, newer);
    const best = this.#readBest();
    if (newer.some((step) => checkpointName(step) === best)) {
      renameSync(join(this.folder.path, BEST_FILE), join(branch, BEST_FILE));
    }
    const which =
      newer.length === 1 ? `the checkpoint of step ${newer[0]}` : `checkpoints of steps ${newer.join(', ')}`;
    const message = `the run went on from step ${this.#last}; ${which}, of what it was before, ${nounOf(newer.length, 'is', 'are')} kept in ${branch}. Go on there with --resume ${branch}.`;
    onWarning({ code: 'LOCKSTEP_CHECKPOINT_BRANCH', message });
  }

  /** Keeps the newest whole ones: a damaged one does not count, and goes when all that are kept are newer. */
  #removeOld(step: number, best: number | undefined): void {
    const { path } = this.folder;
    const keep = this.policy.keep ?? DEFAULT_KEEP;
    let kept = 1;
    const old: number[] = [];
    for (const other of listCheckpoints(path).toReversed()) {
      if (other >= step || other === best) continue;
      if (kept >= keep) old.push(other);
      else if (this.#isWhole(other)) kept += 1;
    }
    removeCheckpoints(path, old);
  }

  /** Reads a checkpoint only when it is not the one that was found whole before. */
  #isWhole(step: number): boolean {
    const path = join(this.folder.path, checkpointName(step));
    const sign = signCheckpoint(path);
    if (sign === undefined) return false;
    if (this.#whole.get(step) === sign) return true;
    const whole = isWhole(path);
    if (whole) this.#whole.set(step, sign);
    return whole;
  }

  #readBest(): unknown {
    try {
      return (JSON.parse(readFileSync(join(this.folder.path, BEST_FILE), 'utf8')) as { checkpoint?: unknown })
        .checkpoint;
    } catch {
      // Not there, or not ours: then it stays where it is.
      return undefined;
    }
  }

  #noteBest(step: number, epochs: readonly EpochEvent[]): void {
    const metric = this.policy.best as MetricName;
    const note = { checkpoint: checkpointName(step), metric, ...findBestEpoch(epochs, metric) };
    const path = join(this.folder.path, BEST_FILE);
    try {
      writeFileAtomically(path, [Buffer.from(`${JSON.stringify(note, null, 2)}\n`)]);
    } catch (cause) {
      const text = `cannot write ${path}: ${(cause as Error).message}. The checkpoint itself is written.`;
      throw new LockstepError('LOCKSTEP_CHECKPOINT_WRITE', text, { cause });
    }
  }
}
