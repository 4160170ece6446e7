/** Makes the points of a run's curve from its progress: each for what was done since the one before. */
import type { ProgressEvent } from '@lockstep/core/events';
import type { RunView } from '@lockstep/core/seams';
import type { Curve } from './chronicle.js';
import { CurveKeeper } from './curve-keeper.js';

const MOST_POINTS = 2000;

/** The last progress that made a point. */
interface Mark {
  readonly epoch: number;
  readonly step: number;
  readonly seconds: number;
  readonly correct: number;
}

export class CourseKeeper {
  readonly #keeper = new CurveKeeper(MOST_POINTS);
  #mark: Mark | undefined;

  get curve(): Curve {
    return this.#keeper.curve;
  }

  /** Grows whenever points that were there before have changed. */
  get generation(): number {
    return this.#keeper.generation;
  }

  /** Within an epoch, whose sums the event has. @returns whether the curve has changed */
  add(event: ProgressEvent, view: RunView): boolean {
    const samples = samplesOf(event.step, view);
    const now: Mark = {
      epoch: event.epoch,
      step: event.step,
      seconds: event.seconds,
      correct: event.accuracy * samples,
    };
    const before = this.#mark?.epoch === event.epoch ? this.#mark : { step: 0, seconds: 0, correct: 0 };
    if (event.step <= before.step) return false;
    const fresh = samples - samplesOf(before.step, view);
    const isSlice = now.seconds - before.seconds > 0.02;
    this.#mark = now;
    return this.#keeper.add({
      epoch: ((event.epoch - 1) * event.stepsPerEpoch + event.step) / event.stepsPerEpoch,
      loss: event.loss,
      accuracy: Math.min(1, Math.max(0, (now.correct - before.correct) / fresh)),
      learningRate: event.learningRate,
      imagesPerSecond: isSlice ? fresh / (now.seconds - before.seconds) : event.imagesPerSecond,
    });
  }

  /** Leaves out what is after so many epochs, such as 2.5. @returns whether the curve has changed */
  goBack(epochs: number): boolean {
    this.#mark = undefined;
    return this.#keeper.goBack(epochs);
  }
}

const samplesOf = (step: number, { recipe, dataset }: RunView): number =>
  Math.min(dataset.train.count, step * recipe.batchSize);
