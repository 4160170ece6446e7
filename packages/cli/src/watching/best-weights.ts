/** Keeps the weights of a run's best epoch in its folder, while the run goes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeData } from '@lockstep/core/data';
import { type EpochEvent, findBestEpoch, type MetricName, type RunEvent } from '@lockstep/core/events';
import type { ModelState } from '@lockstep/core/run';
import type { RunObserver, RunView } from '@lockstep/core/seams';
import { type RunFolder, weightsFiles } from '@lockstep/watch/files';
import { readStepsOfWeights, saveModelState } from '../settings/weights-file.js';

/** Weights, and the steps that they were trained for. */
export interface Kept {
  readonly state: ModelState;
  readonly steps: number;
}

export class BestWeights implements RunObserver {
  readonly name = 'the best weights';
  #view: RunView | undefined;
  #metric: MetricName = 'testAccuracy';
  /** Those that the file is the best of. */
  #epochs: EpochEvent[] = [];
  #unsaved: Kept | undefined;

  /** @param asked by which number an epoch is judged; default: accuracy on the held-out images, else on the test images */
  constructor(
    private readonly folder: RunFolder,
    private readonly asked: MetricName | undefined,
  ) {}

  /** The best weights, if they could not be written, as on a full disk; each epoch tries again. */
  get unsaved(): Kept | undefined {
    return this.#unsaved;
  }

  begin(view: RunView): void {
    this.#view = view;
    this.#metric = this.asked ?? (view.dataset.validation.count > 0 ? 'validationAccuracy' : 'testAccuracy');
    if (this.folder.path !== undefined && this.#isBestOf(view)) this.#epochs = [...view.history];
  }

  /** Whether the file in a resumed run's folder is of the best epoch before: a killed run may have gone further. */
  #isBestOf({ history, stepsPerEpoch }: RunView): boolean {
    const path = join(this.folder.make(), weightsFiles.best);
    const best = findBestEpoch(history, this.#metric);
    return best !== undefined && existsSync(path) && readStepsOfWeights(path) === best.epoch * stepsPerEpoch;
  }

  onEvent(event: RunEvent): void {
    if (event.event !== 'epoch' || this.#view === undefined) return;
    this.#epochs.push(event);
    if (findBestEpoch(this.#epochs, this.#metric)?.epoch === event.epoch) this.#unsaved = this.#copy(event.epoch);
    try {
      this.save();
    } catch {
      // tried again after the next epoch, and when the run is over
    }
  }

  #copy(epoch: number): Kept {
    const { stepsPerEpoch, readAverage, readState } = this.#view as RunView;
    const average = this.#metric.startsWith('ema') ? readAverage() : undefined;
    return { state: average ?? readState(), steps: epoch * stepsPerEpoch };
  }

  /** Writes what could not be written before. @throws LockstepError LOCKSTEP_WEIGHTS_WRITE, and what node:fs throws */
  save(): void {
    if (this.#unsaved === undefined || this.#view === undefined) return;
    const { model, dataset } = this.#view;
    const { state, steps } = this.#unsaved;
    saveModelState(join(this.folder.make(), weightsFiles.best), model, state, steps, describeData(dataset));
    this.#unsaved = undefined;
  }
}
