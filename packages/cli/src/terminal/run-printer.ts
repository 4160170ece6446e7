/** What a run's events look like: progress lines for people, or JSON lines for programs. */
import type {
  AverageEvaluation,
  EndEvent,
  EpochEvent,
  Evaluation,
  ProgressEvent,
  RunEvent,
  StartEvent,
  WarningEvent,
} from '@lockstep/core/events';
import { learningRateAt } from '@lockstep/core/run';
import type { Recipe } from '@lockstep/core/spec';
import {
  countOf,
  describeNodeEvent,
  formatCountOf,
  formatDuration,
  formatLoss,
  formatPercent,
  formatProgress,
  formatRate,
  formatRecipe,
  formatScore,
  formatSpeed,
  type Progress,
} from '@lockstep/core/text';
import { type Io, type OutputName, writeJson, writeLine } from './io.js';
import { formatSummaryLines, RunTally } from './run-tally.js';
import { canRedraw, StatusLine } from './terminal.js';

export interface RunPrinter {
  print(event: RunEvent): void;
  /** A line for the person at the terminal, on stderr. */
  note(text: string): void;
  /** That a stream takes nothing more, on the other one. */
  tellLost(name: OutputName, text: string): void;
  /** The last words, after the weights are written (or not). */
  finish(savedPath: string | undefined): void;
  /** Puts the terminal in order; may be called at any time, more than once. */
  close(): void;
}

const OUTPUT_LOST = 'LOCKSTEP_OUTPUT_LOST';

export interface PrinterOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Epochs of the run that is resumed. */
  readonly history?: readonly EpochEvent[];
}

export const createPrinter = ({ json, quiet, history }: PrinterOptions, io: Io): RunPrinter =>
  json ? new JsonPrinter(io, quiet) : new TextPrinter(io, quiet, history);

/** One JSON object a line on stdout; a bar on stderr when only that is a terminal. */
class JsonPrinter implements RunPrinter {
  private readonly bar: StatusLine | undefined;

  constructor(
    private readonly io: Io,
    private readonly isQuiet: boolean,
  ) {
    this.bar = isQuiet || io.stdout.isTTY ? undefined : createBar(io);
  }

  print(event: RunEvent): void {
    if (event.event === 'progress') {
      this.bar?.update((columns) => formatProgress(event, columns));
      return;
    }
    this.bar?.clear();
    writeJson(this.io.stdout, event);
  }

  note(text: string): void {
    this.bar?.clear();
    writeLine(this.io.stderr, text);
  }

  tellLost(name: OutputName, text: string): void {
    if (name === 'stdout') this.note(`warning: ${OUTPUT_LOST}: ${text}`);
    else this.print({ event: 'warning', code: OUTPUT_LOST, message: text });
  }

  finish(savedPath: string | undefined): void {
    if (savedPath !== undefined && !this.isQuiet) this.note(`Saved to ${savedPath}`);
  }

  close(): void {
    this.bar?.clear();
  }
}

/** The lines of the seeds: epoch and rate, bar, test set; without a terminal, one line per epoch and its test set. */
class TextPrinter implements RunPrinter {
  private readonly bar: StatusLine | undefined;
  private readonly tally: RunTally;
  /** The epoch whose first line is out. */
  private titledEpoch = 0;
  private lastProgress: ProgressEvent | undefined;
  private recipe: Recipe | undefined;

  constructor(
    private readonly io: Io,
    private readonly isQuiet: boolean,
    history: readonly EpochEvent[] | undefined,
  ) {
    this.tally = new RunTally(history);
    this.bar = isQuiet ? undefined : createBar(io);
  }

  print(event: RunEvent): void {
    this.tally.add(event);
    switch (event.event) {
      case 'start':
        this.printStart(event);
        break;
      case 'progress':
        this.printProgress(event);
        break;
      case 'epoch':
        this.printEpoch(event);
        break;
      case 'warning':
        this.printWarning(event);
        break;
      case 'end':
        this.printEnd(event);
        break;
      case 'paused':
        if (!this.isQuiet) this.note(`Paused after step ${event.step}.`);
        break;
      case 'resumed':
        if (!this.isQuiet) this.note(`Going on after step ${event.step}.`);
        break;
      case 'listening':
      case 'node-joined':
      case 'node-left':
      case 'node-evicted':
      case 'node-doubted':
      case 'states-kept':
      case 'node-refused':
      case 'node-pardoned':
      case 'waiting':
        if (!this.isQuiet) this.note(describeNodeEvent(event));
        break;
      case 'went-back':
      case 'steps-doubted':
        this.titledEpoch = 0;
        this.note(`warning: ${describeNodeEvent(event)}`);
        break;
      case 'data':
        // its notes were told when it was loaded
        break;
      case 'rebalanced':
        // several times a minute: for the page, the log and --json
        break;
    }
  }

  note(text: string): void {
    this.bar?.clear();
    writeLine(this.io.stderr, text);
  }

  tellLost(name: OutputName, text: string): void {
    const line = `warning: ${OUTPUT_LOST}: ${text}`;
    if (name === 'stdout') this.note(line);
    else this.line(line);
  }

  finish(savedPath: string | undefined): void {
    this.close();
    for (const line of formatSummaryLines(this.tally, this.isQuiet)) writeLine(this.io.stdout, line);
    if (savedPath !== undefined) writeLine(this.io.stdout, `Saved to ${savedPath}`);
  }

  close(): void {
    this.bar?.clear();
  }

  private printStart(event: StartEvent): void {
    this.recipe = event.recipe;
    if (this.isQuiet) return;
    const { model, parameters, engine, workers, seed } = event;
    this.line(`Model: ${model}, ${formatCountOf(parameters, 'parameter')}`);
    this.line(`Data: ${event.data}${event.validationSamples > 0 ? `, ${event.validationSamples} held out` : ''}`);
    this.line(`Recipe: ${formatRecipe(event.recipe)}`);
    if (event.resumedStep !== undefined) this.line(`Resumed: after step ${event.resumedStep}`);
    this.line(`Engine: ${engine}, ${countOf(workers, 'worker')}, seed ${seed}`);
    this.line('');
  }

  private printProgress(event: ProgressEvent): void {
    if (this.bar === undefined) return;
    this.printTitle(event.epoch);
    this.lastProgress = event;
    this.bar.update((columns) => formatProgress(event, columns));
  }

  /** On a terminal the title of the epoch stands above the bar, with the rate of its last step, as in all other places. */
  private printTitle(epoch: number): void {
    if (this.titledEpoch === epoch || !this.hasBarOnStdout() || this.recipe === undefined) return;
    this.titledEpoch = epoch;
    const { stepsPerEpoch } = this.tally;
    const learningRate = learningRateAt(this.recipe, epoch * stepsPerEpoch - 1, stepsPerEpoch);
    this.line(`Epoch ${epoch}, Learning Rate: ${formatRate(learningRate)}`);
  }

  private printEpoch(event: EpochEvent): void {
    if (this.isQuiet) return;
    if (this.bar !== undefined && this.hasBarOnStdout()) {
      this.printTitle(event.epoch);
      this.bar.finish((columns) => formatProgress(this.completeProgress(event), columns));
      if (event.engine !== undefined) this.line(`Engine: ${event.engine}`);
    } else {
      this.line(formatEpoch(event, this.tally.stepsPerEpoch));
    }
    if (event.validation !== undefined) this.line(formatSplit('Validation set', event.validation));
    this.line(formatTest(event));
    if (event.ema !== undefined) this.line(formatAverage(event.ema));
    if (this.hasBarOnStdout()) this.line('');
  }

  /** The bar at 100%: the last progress event may be some steps old. */
  private completeProgress({ trainLoss, trainAccuracy, seconds, imagesPerSecond }: EpochEvent): Progress {
    const step = this.tally.stepsPerEpoch;
    return { step, stepsPerEpoch: step, trainLoss, accuracy: trainAccuracy, seconds, imagesPerSecond };
  }

  private printWarning(event: WarningEvent): void {
    this.note(formatWarning(event));
  }

  private printEnd(event: EndEvent): void {
    if (this.isQuiet || !this.tally.isBetweenEpochs) return;
    const last = this.lastProgress;
    if (this.bar !== undefined && this.hasBarOnStdout() && last !== undefined && last.epoch === this.titledEpoch) {
      this.bar.finish((columns) => formatProgress(last, columns));
    }
    if (event.validation !== undefined) this.line(formatSplit('Validation set', event.validation));
    this.line(formatTest(event));
    if (this.hasBarOnStdout()) this.line('');
  }

  private hasBarOnStdout(): boolean {
    return this.bar !== undefined && this.io.stdout.isTTY === true;
  }

  private line(text: string): void {
    this.bar?.clear();
    writeLine(this.io.stdout, text);
  }
}

export const formatWarning = ({ code, message }: Pick<WarningEvent, 'code' | 'message'>): string =>
  `warning: ${code}: ${message}`;

const createBar = (io: Io): StatusLine | undefined => (canRedraw(io.stderr, io.env) ? new StatusLine(io) : undefined);

function formatEpoch(event: EpochEvent, steps: number): string {
  const { epoch, learningRate, trainLoss, trainAccuracy, seconds, imagesPerSecond, engine } = event;
  return (
    `Epoch ${epoch}, Learning Rate: ${formatRate(learningRate)}, loss=${formatLoss(trainLoss)} ` +
    `accuracy=${formatPercent(trainAccuracy)}, ${countOf(steps, 'step')} in ${formatDuration(seconds)}, ${formatSpeed(imagesPerSecond)}` +
    (engine === undefined ? '' : `, ${engine}`)
  );
}

const formatAverage = (ema: AverageEvaluation): string => formatTest(ema, 'Test set, moving average');

const formatTest = (event: AverageEvaluation, name = 'Test set'): string =>
  formatSplit(name, {
    loss: event.testLoss,
    correct: event.testCorrect,
    total: event.testTotal,
    accuracy: event.testAccuracy,
  });

/** `Test set: Average loss: 0.0553, Accuracy: 9810/10000 (98.10%)`. */
export const formatSplit = (name: string, evaluation: Evaluation): string =>
  `${name}: Average loss: ${formatLoss(evaluation.loss)}, Accuracy: ${formatScore(evaluation)}`;
