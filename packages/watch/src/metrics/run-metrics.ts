/**
 * A run as Prometheus metrics. Names follow prometheus.io/docs/practices/naming: base units (seconds, ratios from 0 to 1),
 * `_total` for what only grows. docs/watching.md lists them; a test holds it to that.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Evaluation, RunEvent, StepTimes } from '@lockstep/core/events';
import { LOCKSTEP_VERSION } from '@lockstep/core/files';
import type { RunObserver, RunView } from '@lockstep/core/seams';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** How often prom-client wakes the main thread to see whether it is late; its default of 10 would cost 0.7% of a core. */
const LAG_EVERY_MS = 250;

/** Nodes that are gone and still have their times: a node may come again under ever other names. */
const MOST_GONE = 64;

const phaseFields = {
  contribute: 'contributeMs',
  wait: 'waitMs',
  exchange: 'exchangeMs',
  update: 'updateMs',
  commit: 'commitMs',
} as const;

export class RunMetrics implements RunObserver {
  readonly name = '--metrics';
  readonly #registry = new Registry();
  readonly #info = this.#gauge('run_info', 'Always 1; the labels say what runs.', [
    'version',
    'model',
    'engine',
    'data',
    'seed',
  ]);
  readonly #parameters = this.#gauge('parameters', 'Learned values of the model.');
  readonly #workers = this.#gauge('workers', "Threads of the coordinator's own node.");
  readonly #epochsPlanned = this.#gauge('epochs_planned', 'Epochs of the recipe.');
  readonly #epoch = this.#gauge('epoch', 'Epoch under way, from 1.');
  readonly #step = this.#gauge('step', 'Steps of the run that are committed, those before a resume among them.');
  readonly #steps = this.#counter('steps_total', 'Steps committed since this process began.');
  readonly #images = this.#counter('images_total', 'Images trained on since this process began.');
  readonly #rate = this.#gauge('images_per_second', 'Training speed in the epoch under way.');
  readonly #learningRate = this.#gauge('learning_rate', 'Learning rate of the last step.');
  readonly #trainLoss = this.#gauge('train_loss', 'Mean cross-entropy of the last step.');
  readonly #trainAccuracy = this.#gauge('train_accuracy_ratio', 'Training accuracy of the epoch under way.');
  readonly #loss = this.#gauge('evaluation_loss', 'Mean cross-entropy of the last evaluation.', ['split', 'of']);
  readonly #accuracy = this.#gauge('evaluation_accuracy_ratio', 'Accuracy of the last evaluation.', ['split', 'of']);
  readonly #phases = this.#counter('phase_seconds_total', 'Where the time of steps went.', ['node', 'worker', 'phase']);
  readonly #nodeRate = this.#gauge('node_images_per_second', 'Speed at which a node computes its shards.', ['node']);
  readonly #nodeShards = this.#gauge('node_shards', 'Shards of a full step that a node computes.', ['node']);
  readonly #nodeCommunication = this.#gauge('node_communication_ratio', 'Share of its step that a node communicates.', [
    'node',
  ]);
  readonly #nodeEvents = this.#counter('node_events_total', 'What happened to nodes.', ['event']);
  readonly #warnings = this.#counter('warnings_total', 'Warnings of the run.', ['code']);
  readonly #replaced = this.#counter('workers_replaced_total', 'Workers that were lost and replaced.', ['worker']);
  readonly #checkpoints = this.#counter('checkpoints_total', 'Checkpoints written.');
  readonly #checkpointStep = this.#gauge('checkpoint_step', 'Steps in the newest checkpoint.');
  readonly #isPaused = this.#gauge('paused', '1 while the run is paused.');
  readonly #isOver = this.#gauge('over', '1 when the run has ended in order, 2 when it failed.');
  /** Names of nodes, the last to go last. */
  readonly #gone = new Set<string>();
  #batchSize = 0;
  #trainSamples = 0;
  #lastStep: number | undefined;

  constructor() {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LAG_EVERY_MS });
  }

  /** Answers /metrics. @returns whether the request was for that */
  readonly answer = (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.url?.split('?')[0] !== '/metrics') return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return true;
    }
    this.#registry.metrics().then(
      (text) => {
        response.writeHead(200, { 'content-type': this.#registry.contentType });
        response.end(request.method === 'HEAD' ? undefined : text);
      },
      () => response.writeHead(500).end(),
    );
    return true;
  };

  begin({ model, engine, dataset, seed, workers, recipe }: RunView): void {
    this.#info.set({ version: LOCKSTEP_VERSION, model: model.name, engine, data: dataset.name, seed }, 1);
    this.#workers.set(workers);
    this.#epochsPlanned.set(recipe.epochs);
    this.#batchSize = recipe.batchSize;
    this.#trainSamples = dataset.train.count;
  }

  onEvent(event: RunEvent): void {
    switch (event.event) {
      case 'start':
        this.#parameters.set(event.parameters);
        this.#noteStep(event.resumedStep ?? 0, event.stepsPerEpoch);
        return;
      case 'progress':
        this.#takeProgress(event);
        return;
      case 'epoch':
        this.#noteStep(event.epoch * this.#epochSteps, this.#epochSteps);
        this.#takeEvaluations(event);
        return;
      case 'end':
        this.#takeEvaluations(event);
        this.#isOver.set(1);
        return;
      case 'checkpoint':
        this.#checkpoints.inc();
        this.#checkpointStep.set(event.step);
        return;
      case 'warning':
        this.#warnings.inc({ code: event.code });
        if (event.worker !== undefined) this.#replaced.inc({ worker: event.worker });
        return;
      case 'paused':
      case 'resumed':
        this.#isPaused.set(event.event === 'paused' ? 1 : 0);
        return;
      case 'node-joined':
        this.#gone.delete(event.node);
        break;
      case 'node-left':
      case 'node-evicted':
        this.#forgetOld(event.node);
    }
    this.#nodeEvents.inc({ event: event.event });
  }

  #forgetOld(left: string): void {
    this.#gone.delete(left);
    this.#gone.add(left);
    const [oldest] = this.#gone;
    if (this.#gone.size <= MOST_GONE || oldest === undefined) return;
    this.#gone.delete(oldest);
    for (const phase of phaseNames) this.#phases.remove({ node: oldest, worker: '', phase });
  }

  onFailed(): void {
    this.#isOver.set(2);
  }

  onSteps(times: readonly StepTimes[]): void {
    // added up first: a label costs more than a number
    const sums = new Map<string, { node: string; worker: string; ms: Record<keyof typeof phaseFields, number> }>();
    for (const one of times) {
      const worker = one.worker === undefined ? '' : String(one.worker);
      const key = `${one.node} ${worker}`;
      let sum = sums.get(key);
      if (!sum) {
        sum = { node: one.node, worker, ms: { contribute: 0, wait: 0, exchange: 0, update: 0, commit: 0 } };
        sums.set(key, sum);
      }
      for (const phase of phaseNames) sum.ms[phase] += one[phaseFields[phase]];
    }
    for (const { node, worker, ms } of sums.values()) {
      for (const phase of phaseNames) this.#phases.inc({ node, worker, phase }, ms[phase] / 1000);
    }
  }

  get #epochSteps(): number {
    return Math.ceil(this.#trainSamples / this.#batchSize);
  }

  #takeProgress(event: Extract<RunEvent, { event: 'progress' }>): void {
    this.#epoch.set(event.epoch);
    if (event.step === 0) return;
    this.#rate.set(event.imagesPerSecond);
    this.#learningRate.set(event.learningRate);
    this.#trainLoss.set(event.loss);
    this.#trainAccuracy.set(event.accuracy);
    this.#noteStep((event.epoch - 1) * event.stepsPerEpoch + event.step, event.stepsPerEpoch);
    if (!event.nodes) return;
    for (const gauge of [this.#nodeRate, this.#nodeShards, this.#nodeCommunication]) gauge.reset();
    for (const { node, imagesPerSecond, shards, communication } of event.nodes) {
      this.#nodeRate.set({ node }, imagesPerSecond);
      this.#nodeShards.set({ node }, shards);
      this.#nodeCommunication.set({ node }, communication);
    }
  }

  /** A run that goes back to its last verified step takes nothing back: counters only grow. */
  #noteStep(step: number, stepsPerEpoch: number): void {
    const imagesBy = (steps: number): number =>
      Math.floor(steps / stepsPerEpoch) * this.#trainSamples + (steps % stepsPerEpoch) * this.#batchSize;
    if (this.#lastStep !== undefined && step > this.#lastStep) {
      this.#steps.inc(step - this.#lastStep);
      this.#images.inc(imagesBy(step) - imagesBy(this.#lastStep));
    }
    this.#lastStep = step;
    this.#step.set(step);
  }

  #takeEvaluations(event: Extract<RunEvent, { event: 'epoch' | 'end' }>): void {
    this.#takeEvaluation('test', 'state', { loss: event.testLoss, accuracy: event.testAccuracy });
    if (event.validation) this.#takeEvaluation('validation', 'state', event.validation);
    if (!event.ema) return;
    this.#takeEvaluation('test', 'average', { loss: event.ema.testLoss, accuracy: event.ema.testAccuracy });
    if (event.ema.validation) this.#takeEvaluation('validation', 'average', event.ema.validation);
  }

  #takeEvaluation(split: string, of: string, { loss, accuracy }: Pick<Evaluation, 'loss' | 'accuracy'>): void {
    this.#loss.set({ split, of }, loss);
    this.#accuracy.set({ split, of }, accuracy);
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name: `lockstep_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name: `lockstep_${name}`, help, labelNames, registers: [this.#registry] });
  }
}

const phaseNames = Object.keys(phaseFields) as (keyof typeof phaseFields)[];
