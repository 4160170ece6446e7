/** Keeps the weights of a run's best epoch in its folder, while the run goes. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeData } from '@lockstep/core/data';
import { type EpochEvent, findBestEpoch, followEpochs, type MetricName, type RunEvent } from '@lockstep/core/events';
import type { ModelState } from '@lockstep/core/run';
import type { RunObserver, RunView } from '@lockstep/core/seams';
import { type RunFolder, weightsFiles } from '@lockstep/watch/files';
import { loadModelState, readStepsOfWeights, saveModelState } from '../settings/weights-file.js';

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
  readonly #epochs: EpochEvent[] = [];
  #unsaved: Kept | undefined;
  /** Those of earlier epochs that would be the best again where the run may go back to. */
  #earlier: Kept[] = [];

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
    if (this.folder.path !== undefined && this.#isBestOf(view)) this.#epochs.push(...view.history);
  }

  /** Whether the file in a resumed run's folder is of the best epoch before: a killed run may have gone further. */
  #isBestOf({ history, stepsPerEpoch }: RunView): boolean {
    const best = findBestEpoch(history, this.#metric);
    return best !== undefined && this.#stepsOfFile === best.epoch * stepsPerEpoch;
  }

  onEvent(event: RunEvent): void {
    if (this.#view === undefined || !followEpochs(this.#epochs, event)) return;
    if (event.event === 'went-back') this.#goBack();
    else if (event.event === 'epoch' && this.#isBest(event)) this.#take(event.epoch);
    try {
      this.save();
    } catch {
      // tried again after the next epoch, and when the run is over
    }
  }

  #isBest({ epoch }: EpochEvent): boolean {
    return findBestEpoch(this.#epochs, this.#metric)?.epoch === epoch;
  }

  /** The last epoch is the best; those before it that may become it again stay in memory. */
  #take(epoch: number): void {
    const { stepsPerEpoch, waysBack } = this.#view as RunView;
    const before = this.#epochs.slice(0, -1);
    const again = waysBack().map((step) =>
      this.#stepsOfBest(before.filter((each) => each.epoch * stepsPerEpoch <= step)),
    );
    const now = this.#stepsOfBest(before);
    const kept = now !== undefined && again.includes(now) ? [...this.#earlier, ...this.#readBack(now)] : this.#earlier;
    this.#earlier = kept.filter(({ steps }) => again.includes(steps));
    this.#unsaved = this.#copy(epoch);
  }

  /** What is the best was made by a node that was found lying: the best before it takes its place, if there is one. */
  #goBack(): void {
    const steps = this.#stepsOfBest(this.#epochs);
    if (this.folder.path === undefined || (steps !== undefined && this.#stepsOfFile === steps)) return;
    this.#unsaved = this.#earlier.find((kept) => kept.steps === steps);
    if (this.#unsaved === undefined) rmSync(this.#path, { force: true });
  }

  #stepsOfBest(epochs: readonly EpochEvent[]): number | undefined {
    const best = findBestEpoch(epochs, this.#metric);
    return best && best.epoch * (this.#view as RunView).stepsPerEpoch;
  }

  get #stepsOfFile(): number | undefined {
    if (this.#unsaved !== undefined) return this.#unsaved.steps;
    return existsSync(this.#path) ? readStepsOfWeights(this.#path) : undefined;
  }

  #readBack(steps: number): Kept[] {
    if (this.#unsaved?.steps === steps) return [this.#unsaved];
    if (this.#stepsOfFile !== steps) return [];
    return [{ state: loadModelState(this.#path, (this.#view as RunView).model), steps }];
  }

  get #path(): string {
    return join(this.folder.make(), weightsFiles.best);
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
    saveModelState(this.#path, model, state, steps, describeData(dataset));
    this.#unsaved = undefined;
  }
}
