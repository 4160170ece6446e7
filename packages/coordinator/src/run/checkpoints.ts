/** When a run writes checkpoints, and which of them it keeps. */

import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { LockstepError } from '@lockstep/core/errors';
import { type EpochEvent, findBestEpoch, type MetricName } from '@lockstep/core/events';
import { isRecord, readJson, readText, writeFileAtomically } from '@lockstep/core/files';
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
  /** Steps of those that this process has written. */
  readonly #written = new Set<number>();
  /** Of checkpoints that were found whole: their signs, by step. */
  readonly #whole = new Map<number, string | undefined>();

  /** @param resume what the run goes on from */
  constructor(
    private readonly policy: CheckpointPolicy,
    private readonly folder: HeldFolder,
    private readonly epochSteps: number,
    private readonly resume: FoundCheckpoint | undefined,
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
   * @param waysBack steps after which the run may go back: the best as of these stay
   * @returns its path
   * @throws LockstepError LOCKSTEP_CHECKPOINT_WRITE or _LOCKED; all earlier ones are still there then
   */
  write(checkpoint: Checkpoint, onWarning: OnWarning, waysBack: readonly number[] = []): string {
    this.folder.check();
    const { step, epochs } = checkpoint.info;
    const path = writeCheckpoint(this.folder.path, checkpoint, (point) => {
      if (point === 'synced') this.#setNewerApart(onWarning);
    });
    this.#last = step;
    this.#written.add(step);
    this.#whole.set(step, signCheckpoint(path));
    const best = this.bestStep(epochs);
    if (best === step) this.#noteBest(step, epochs);
    const bests = waysBack.map((back) => this.bestStep(epochs.filter(({ epoch }) => epoch * this.epochSteps <= back)));
    this.#removeOld(step, [best, ...bests]);
    return path;
  }

  /**
   * The run went back: what it had written of later steps is not to be gone on from.
   *
   * @param epochs those that stand
   * @param onWarning told where they are
   */
  takeBack(step: number, epochs: readonly EpochEvent[], onWarning: OnWarning): void {
    const standing = [...this.#written].filter((written) => written <= step);
    this.#last = Math.max(this.resume?.checkpoint.info.step ?? 0, ...standing);
    const doubted = listCheckpoints(this.folder.path).filter((later) => later > step && this.#written.has(later));
    for (const later of doubted) this.#written.delete(later);
    if (doubted.length === 0) return;
    const which = `${nounOf(doubted.length, 'the checkpoint of step', 'checkpoints of steps')} ${doubted.join(', ')}`;
    try {
      const branch = this.#setApart(doubted);
      const message = `the run went back to step ${step}; ${which}, with sums that may be wrong, ${nounOf(doubted.length, 'is', 'are')} kept in ${branch}. Do not go on from there.`;
      onWarning({ code: 'LOCKSTEP_CHECKPOINT_DOUBTED', message });
      const best = this.bestStep(epochs);
      if (best !== undefined && this.#isWhole(best)) this.#noteBest(best, epochs);
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      const message = `${error.text} The run went back to step ${step}; do not go on from ${which}.`;
      onWarning({ code: error.code, message });
    }
  }

  /** Moves checkpoints into a folder of their own, with what is said of the best if it is one of them. @returns that folder */
  #setApart(steps: readonly number[]): string {
    const branch = setApart(this.folder.path, steps);
    const best = this.#readBest();
    if (steps.some((step) => checkpointName(step) === best)) {
      renameSync(join(this.folder.path, BEST_FILE), join(branch, BEST_FILE));
    }
    return branch;
  }

  /**
   * A run that goes on from an older checkpoint leaves newer ones behind: what was another branch, with --override. They
   * are not this run's to remove, and `--resume` would take them for its newest.
   */
  #setNewerApart(onWarning: OnWarning): void {
    const newer = listCheckpoints(this.folder.path).filter((step) => step > this.#last && this.#isWhole(step));
    if (newer.length === 0) return;
    const branch = this.#setApart(newer);
    const which =
      newer.length === 1 ? `the checkpoint of step ${newer[0]}` : `checkpoints of steps ${newer.join(', ')}`;
    const message = `the run went on from step ${this.#last}; ${which}, of what it was before, ${nounOf(newer.length, 'is', 'are')} kept in ${branch}. Go on there with --resume ${branch}.`;
    onWarning({ code: 'LOCKSTEP_CHECKPOINT_BRANCH', message });
  }

  /** Keeps the newest whole ones: a damaged one does not count, and goes when all that are kept are newer. */
  #removeOld(step: number, bests: readonly (number | undefined)[]): void {
    const { path } = this.folder;
    const keep = this.policy.keep ?? DEFAULT_KEEP;
    let kept = 1;
    const old: number[] = [];
    for (const other of listCheckpoints(path).toReversed()) {
      if (other >= step || bests.includes(other)) continue;
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
      const best = readJson(readText(join(this.folder.path, BEST_FILE)));
      return isRecord(best) ? best['checkpoint'] : undefined;
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
