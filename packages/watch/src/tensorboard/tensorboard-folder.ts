/** Event files for TensorBoard: curves, histograms of parameters and gradients, mistakes as images, hyper-parameters. */
import { existsSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '@lockstep/core/data';
import { encodePngImage } from '@lockstep/core/data/pictures';
import type { EpochEvent, RunEvent } from '@lockstep/core/events';
import { LOCKSTEP_VERSION } from '@lockstep/core/files';
import type { EvaluatedSplit, EvaluationRecord, RunObserver, RunView } from '@lockstep/core/seams';
import { committedSteps } from '../files/earlier-lines.js';
import { FileSink } from '../files/file-sink.js';
import { encodeEvent, SESSION_START, type TaggedValue, type TensorBoardEvent } from './event-schema.js';
import { countHistogram } from './histogram.js';
import { describeEnd, describeStart, type HParamValue } from './hparams.js';
import { frameRecord } from './tfrecord.js';

/** Mistakes shown after each evaluation, the most confident ones. */
const MISTAKES = 12;
/** Parameters of more values are counted on a part of them, evenly spread: the main thread must not stand still. */
const MOST_COUNTED = 250_000;

/** Tags of the scalars that runs are compared by. */
const comparedTags = ['accuracy/test', 'loss/test', 'accuracy/train', 'loss/train'];

/**
 * @param resumedStep where the run goes on: what other files of the folder have of later steps is not shown any more
 * @throws LockstepError LOCKSTEP_SAVE_PATH
 */
export async function openTensorBoardFolder(folder: string, resumedStep: number | undefined): Promise<RunObserver> {
  const seconds = Math.max(Math.floor(Date.now() / 1000), lastSeconds(folder) + 1);
  const name = `${PREFIX}${seconds}.${hostname()}.${process.pid}.lockstep-${LOCKSTEP_VERSION}`;
  return new TensorBoardFolder(folder, await FileSink.open(join(folder, name), '--tensorboard'), resumedStep);
}

const PREFIX = 'events.out.tfevents.';

/** The largest time in the names of a folder's event files; TensorBoard reads them in the order of their names. */
function lastSeconds(folder: string): number {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return Math.max(
    0,
    ...names.flatMap((name) => (name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) || 0 : 0)),
  );
}

class TensorBoardFolder implements RunObserver {
  readonly name: string;
  #view: RunView | undefined;
  #outcome: 'success' | 'failure' = 'failure';
  #step: number;
  readonly #resumedStep: number | undefined;

  constructor(
    folder: string,
    private readonly sink: FileSink,
    resumedStep: number | undefined,
  ) {
    this.name = `--tensorboard ${folder}`;
    this.#step = resumedStep ?? 0;
    this.#resumedStep = resumedStep;
    this.#writeEvent({ file_version: 'brain.Event:2' });
    // the checkpoint's own step stays: its evaluation came before the checkpoint, and is not done again
    if (resumedStep !== undefined) this.#restart(resumedStep);
  }

  begin(view: RunView): void {
    this.#view = view;
    this.#write(0, describeStart(listHParams(view), comparedTags, Date.now() / 1000));
  }

  onEvent(event: RunEvent): void {
    if (event.event === 'progress' && event.step > 0) {
      const step = committedSteps({ ...event }, event.stepsPerEpoch);
      if (step <= this.#step) return;
      this.#step = step;
      this.#write(this.#step, [
        scalar('loss/step', event.loss),
        scalar('learning rate', event.learningRate),
        scalar('speed/images per second', event.imagesPerSecond),
      ]);
    }
    if (event.event === 'epoch') {
      this.#step = event.epoch * (this.#view as RunView).stepsPerEpoch;
      this.#write(this.#step, listScalars(event));
    }
    if (event.event === 'went-back') {
      this.#step = event.step;
      this.#restart(event.step);
    }
    if (event.event === 'end') {
      this.#step = event.steps;
      this.#outcome = 'success';
    }
  }

  onEvaluated({ split, ofAverage, step, evaluated }: EvaluationRecord): void {
    // a run that was done is only evaluated once more
    if (split !== 'test' || ofAverage || step === this.#resumedStep) return;
    const view = this.#view as RunView;
    // one value at a time: a record is written and forgotten before the next is counted
    const gradient = view.readGradient();
    const names = view.layers.flatMap(({ parameters }) => parameters.map(({ name }) => name));
    for (const [index, values] of view.readState().parameters.entries()) {
      this.#write(step, [{ tag: `parameters/${names[index]}`, histo: countHistogram(thin(values)) }]);
      const own = gradient?.[index];
      if (own) this.#write(step, [{ tag: `gradients/${names[index]}`, histo: countHistogram(thin(own)) }]);
    }
    for (const [place, value] of drawMistakes(view.dataset, evaluated).entries()) {
      this.#write(step, [{ ...value, tag: `mistakes/${place}` }]);
    }
  }

  /** What there is of steps after this one is not shown any more. */
  #restart(step: number): void {
    this.#writeEvent({ step: step + 1, session_log: { status: SESSION_START } });
  }

  async close(): Promise<void> {
    this.#write(this.#step, [describeEnd(this.#outcome, Date.now() / 1000)]);
    await this.sink.close();
  }

  #write(step: number, value: readonly TaggedValue[]): void {
    this.#writeEvent({ step, summary: { value } });
  }

  #writeEvent(event: Omit<TensorBoardEvent, 'wall_time'>): void {
    this.sink.write(frameRecord(encodeEvent({ wall_time: Date.now() / 1000, ...event })));
  }
}

const scalar = (tag: string, simple_value: number): TaggedValue => ({ tag, simple_value });

function listScalars(event: EpochEvent): TaggedValue[] {
  const { validation, ema } = event;
  return [
    scalar('loss/train', event.trainLoss),
    scalar('accuracy/train', event.trainAccuracy),
    scalar('loss/test', event.testLoss),
    scalar('accuracy/test', event.testAccuracy),
    ...(validation
      ? [scalar('loss/validation', validation.loss), scalar('accuracy/validation', validation.accuracy)]
      : []),
    ...(ema
      ? [scalar('loss/test of average', ema.testLoss), scalar('accuracy/test of average', ema.testAccuracy)]
      : []),
    scalar('speed/seconds per epoch', event.seconds),
  ];
}

/** The recipe's fields by their paths, and what else decides the result: `optimizer.momentum`, `seed`. */
function listHParams({ model, dataset, seed, recipe }: RunView): Record<string, HParamValue> {
  const found: Record<string, HParamValue> = { model: model.name, dataset: dataset.name, seed };
  const collect = (value: unknown, path: string): void => {
    if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') found[path] = value;
    else if (Array.isArray(value)) found[path] = value.join(', ');
    else if (value && typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) collect(inner, path === '' ? key : `${path}.${key}`);
    }
  };
  collect(recipe, '');
  return found;
}

function thin(values: Float32Array): Float32Array {
  const every = Math.ceil(values.length / MOST_COUNTED);
  if (every === 1) return values;
  return Float32Array.from({ length: Math.floor(values.length / every) }, (_, i) => values[i * every] as number);
}

type ImageValue = Required<Pick<TaggedValue, 'image'>>;

/** Images of the test set that were taken for another class, the most confident first. */
function drawMistakes({ test, channels, height, width }: Dataset, { predictions }: EvaluatedSplit): ImageValue[] {
  const wrong: { index: number; confidence: number }[] = [];
  for (let index = 0; index < test.count; index++) {
    if (predictions[2 * index] !== test.labels[index]) {
      wrong.push({ index, confidence: predictions[2 * index + 1] as number });
    }
  }
  wrong.sort((a, b) => b.confidence - a.confidence || a.index - b.index);
  const size = channels * height * width;
  return wrong.slice(0, MISTAKES).map(({ index }) => {
    const pixels = Uint8Array.from(test.images.subarray(index * size, (index + 1) * size));
    const png = encodePngImage({ channels, height, width, pixels });
    return { image: { height, width, colorspace: channels === 3 ? 3 : 1, encoded_image_string: png } };
  });
}
