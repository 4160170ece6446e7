/** Writes a run's chronicle: an observer that keeps what the page shows, section by section, in bounded memory. */

import type {
  EndEvent,
  EpochEvent,
  ProgressEvent,
  RunEvent,
  StartEvent,
  StepTimes,
  WarningEvent,
  WentBackEvent,
} from '@lockstep/core/events';
import { dealShards, shardCount } from '@lockstep/core/run';
import type { EvaluationRecord, RunObserver, RunView } from '@lockstep/core/seams';
import { describeNodeEvent, endingOf, formatLoss, formatScore } from '@lockstep/core/text';
import { describeRun, type Surroundings } from './about.js';
import {
  type About,
  type Chronicle,
  emptyChronicle,
  type InputSheet,
  type LogLine,
  type Section,
  type Status,
} from './chronicle.js';
import { CourseKeeper } from './course-keeper.js';
import { CrewKeeper } from './crew-keeper.js';
import { drawFilters } from './first-layer.js';
import { judge } from './judge.js';
import { describeResult } from './showing.js';

export interface ChroniclerOptions extends Surroundings {
  /** Makes what draws training images as the network sees them in an epoch, from 0. */
  readonly drawInputs?: ((view: RunView) => (epoch: number) => InputSheet) | undefined;
  /** Spells the commands in a text as they are spelled where the run is. Default: as they are written. */
  readonly spell?: ((text: string) => string) | undefined;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/** Between two reports of progress that are written down: what the page shows need not be newer. */
const PROGRESS_MS = 450;
const MOST_LINES = 300;

export class Chronicler implements RunObserver {
  readonly name = 'the chronicle';
  #chronicle: Chronicle = emptyChronicle;
  readonly #versions = new Map<Section, number>();
  #version = 0;
  readonly #course = new CourseKeeper();
  readonly #crew = new CrewKeeper();
  #view: RunView | undefined;
  #draw: ((epoch: number) => InputSheet) | undefined;
  readonly #startedMs: number;
  #progressMs = Number.NEGATIVE_INFINITY;
  /** The newest, if it was not written down. */
  #unseen: ProgressEvent | undefined;

  constructor(private readonly options: ChroniclerOptions) {
    this.#startedMs = options.now();
  }

  get chronicle(): Chronicle {
    return this.#chronicle;
  }

  /** When a section was last changed, counted in changes of any section. */
  versionOf(section: Section): number {
    return this.#versions.get(section) ?? 0;
  }

  /** Of all sections. */
  get version(): number {
    return this.#version;
  }

  /** Grows whenever points of the curve that were there before have changed. */
  get curveGeneration(): number {
    return this.#course.generation;
  }

  begin(view: RunView): void {
    this.#view = view;
    this.#draw = this.options.drawInputs?.(view);
  }

  onEvent(event: RunEvent): void {
    switch (event.event) {
      case 'start':
        this.#onStart(event);
        break;
      case 'progress':
        this.#onProgress(event);
        break;
      case 'epoch':
        this.#onEpoch(event);
        break;
      case 'checkpoint':
        this.#log(
          'checkpoint',
          `Checkpoint of step ${event.step}${event.isBest ? ', the best so far' : ''}: ${event.path}`,
        );
        break;
      case 'warning':
        this.#onWarning(event);
        break;
      case 'paused':
        this.#setStatus({ phase: 'paused' });
        this.#log('control', `Paused after step ${event.step}`);
        break;
      case 'resumed':
        this.#setStatus({ phase: 'training' });
        this.#log('control', 'Goes on');
        break;
      case 'end':
        this.#onEnd(event);
        break;
      case 'waiting':
        this.#setStatus({ phase: 'waiting' });
        this.#log('node', describeNodeEvent(event));
        break;
      case 'node-joined':
      case 'node-left':
      case 'node-evicted':
        this.#crew.onNode(event);
        this.#set('crew', this.#crew.members);
        this.#log('node', describeNodeEvent(event));
        break;
      case 'went-back':
        this.#onBack(event);
        this.#log('warning', describeNodeEvent(event));
        break;
      case 'steps-doubted':
        this.#log('warning', describeNodeEvent(event));
        break;
      case 'listening':
      case 'node-doubted':
      case 'states-kept':
      case 'node-refused':
      case 'node-pardoned':
      case 'rebalanced':
        this.#log('node', describeNodeEvent(event));
        break;
    }
  }

  onEvaluated(evaluation: EvaluationRecord): void {
    const { split, ofAverage, epoch, step } = evaluation;
    if (split !== 'test' || ofAverage || this.#view === undefined) return;
    this.#set('judgement', judge(this.#view, evaluation));
    const steps = step - epoch * this.#view.stepsPerEpoch;
    this.#set('filters', drawFilters(this.#view.layers, this.#view.readState(), { epoch, steps }));
  }

  onSteps(times: readonly StepTimes[]): void {
    this.#crew.onSteps(times, this.options.now());
    if (!this.#crew.hasNews) return;
    this.#set('crew', this.#crew.members);
    this.#set('steps', this.#crew.steps);
  }

  onFailed(error: unknown): void {
    const failure = this.#spell(error instanceof Error ? error.message : String(error));
    this.#crew.end();
    this.#set('crew', this.#crew.members);
    this.#setStatus({ phase: 'failed', failure });
    this.#log('failure', failure);
  }

  #onStart(event: StartEvent): void {
    const view = this.#view;
    if (view === undefined) return;
    const about = describeRun(view, event, this.options);
    this.#set('about', about);
    this.#set('epochs', [...view.history]);
    this.#crew.begin(
      view.workers > 0
        ? dealShards(
            shardCount(Math.min(view.recipe.batchSize, event.trainSamples), view.recipe.shardSize),
            view.workers,
          )
        : [],
      view.recipe.batchSize,
    );
    this.#set('crew', this.#crew.members);
    const resumed = event.resumedStep === undefined ? '' : ` after step ${event.resumedStep}`;
    this.#log('run', event.resumedStep === undefined ? 'The run begins' : `The run goes on${resumed}`);
    this.#setStatus({ phase: 'training', committed: about.resumedStep });
    this.#set('filters', drawFilters(view.layers, view.readState(), momentOf(about)));
    this.#drawInputs(Math.floor(about.resumedStep / about.stepsPerEpoch));
  }

  #drawInputs(epoch: number): void {
    if (this.#draw && epoch < (this.#view?.recipe.epochs ?? 0)) this.#set('inputs', this.#draw(epoch));
  }

  #onProgress(event: ProgressEvent): void {
    const { step, stepsPerEpoch } = event;
    const isDue = this.options.now() - this.#progressMs >= PROGRESS_MS;
    if (isDue || step === 0 || step === stepsPerEpoch) this.#takeProgress(event);
    else this.#unseen = event;
  }

  #takeProgress(event: ProgressEvent): void {
    const { stepsPerEpoch } = event;
    this.#unseen = undefined;
    this.#progressMs = this.options.now();
    const committed = (event.epoch - 1) * stepsPerEpoch + event.step;
    if (this.#course.add(event, this.#view as RunView)) this.#set('curve', this.#course.curve);
    if (event.nodes) {
      this.#crew.onShares(event.nodes);
      this.#set('crew', this.#crew.members);
    }
    const { epoch, step, learningRate, trainLoss, accuracy } = event;
    const phase = step === stepsPerEpoch ? 'evaluating' : 'training';
    const speed = this.#course.curve.imagesPerSecond.at(-1) ?? event.imagesPerSecond;
    this.#setStatus({ phase, epoch, step, committed, learningRate, trainLoss, accuracy, imagesPerSecond: speed });
  }

  #onWarning({ code, message, worker }: WarningEvent): void {
    if (worker !== undefined) {
      this.#crew.onReplaced(worker);
      this.#set('crew', this.#crew.members);
    }
    this.#log('warning', `${code}: ${message}`);
  }

  #onEpoch(event: EpochEvent): void {
    this.#set('epochs', [...this.#chronicle.epochs, event]);
    this.#log('epoch', describeEpoch(event));
    this.#setStatus({ phase: 'training' });
    this.#drawInputs(event.epoch);
  }

  #onBack({ step, epochs }: WentBackEvent): void {
    const { stepsPerEpoch } = this.#view as RunView;
    const stand = this.#chronicle.epochs.filter(({ epoch }) => epoch <= epochs);
    this.#set('epochs', stand);
    this.#unseen = undefined;
    if (this.#course.goBack(step / stepsPerEpoch)) this.#set('curve', this.#course.curve);
    this.#setStatus({ phase: 'training', epoch: epochs + 1, step: step - epochs * stepsPerEpoch, committed: step });
  }

  #onEnd(event: EndEvent): void {
    const { steps: committed, seconds } = event;
    if (this.#unseen) this.#takeProgress(this.#unseen);
    this.#crew.end();
    this.#set('crew', this.#crew.members);
    this.#setStatus({ phase: 'ended', committed, seconds, end: endingOf(event) });
    this.#log('run', describeResult(this.#chronicle)?.ending ?? '');
  }

  #setStatus(change: Partial<Status>): void {
    const seconds = (this.options.now() - this.#startedMs) / 1000;
    this.#set('status', { ...this.#chronicle.status, seconds, ...change });
  }

  #spell(text: string): string {
    return this.options.spell?.(text) ?? text;
  }

  #log(kind: LogLine['kind'], text: string): void {
    const line = { seconds: (this.options.now() - this.#startedMs) / 1000, kind, text: this.#spell(text) };
    this.#set('log', [...this.#chronicle.log, line].slice(-MOST_LINES));
  }

  #set<S extends Section>(section: S, value: Chronicle[S]): void {
    this.#chronicle = { ...this.#chronicle, [section]: value };
    this.#versions.set(section, ++this.#version);
  }
}

const describeEpoch = ({ epoch, trainLoss, testCorrect, testTotal, testAccuracy }: EpochEvent): string =>
  `Epoch ${epoch}: training loss ${formatLoss(trainLoss)}, test accuracy ${formatScore({ correct: testCorrect, total: testTotal, accuracy: testAccuracy })}`;

const momentOf = ({ resumedStep, stepsPerEpoch }: About): { epoch: number; steps: number } => ({
  epoch: Math.floor(resumedStep / stepsPerEpoch),
  steps: resumedStep % stepsPerEpoch,
});
