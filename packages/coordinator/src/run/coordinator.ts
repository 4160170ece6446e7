/**
 * The run in motion: epochs, segments, evaluation, events. It drives nodes and reports; it computes nothing.
 */

import { resolve } from 'node:path';
import { recordData } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import type { EndEvent, EpochEvent, NodeEvent, RunEvent, WarningEvent } from '@lockstep/core/events';
import { stepsPerEpoch } from '@lockstep/core/run';
import {
  isDivergence,
  RunControl,
  type SegmentPlan,
  type SegmentProgress,
  type TrainingNode,
} from '@lockstep/core/seams';
import type { FoundCheckpoint } from '@lockstep/core/state';
import { Checkpoints } from './checkpoints.js';
import { checkLoss, checkVectors, type Progress, vectorsOf } from './divergence-checks.js';
import { addDoubts, listDoubts } from './doubts.js';
import { type Evaluated, evaluateNode } from './evaluation.js';
import { awaitRequest } from './next-request.js';
import { Observers } from './observers.js';
import { adaptSnapshot, checkResume } from './resume.js';
import { RunEvents } from './run-events.js';
import type { RunOptions } from './run-options.js';
import { viewRun } from './run-view.js';
import { findHalt, findStopReason, type Halt, type StopReason } from './stop-reason.js';

const PROGRESS_MS = 250;

export class Coordinator {
  readonly #warnings: (WarningEvent | NodeEvent)[] = [];
  readonly #events: RunEvents;
  readonly #epochSteps: number;
  readonly #checkpoints: Checkpoints | undefined;
  /** Those of the resumed run among them. */
  readonly #epochs: EpochEvent[];
  readonly #control: RunControl;
  readonly #observers: Observers;
  #beginning: RunOptions['beginning'];

  constructor(
    private readonly options: RunOptions,
    private readonly node: TrainingNode,
  ) {
    const { checkpoints, heldFolder, resume } = options;
    this.#control = options.control ?? new RunControl();
    this.#observers = options.observers ?? new Observers([]);
    this.#epochSteps = stepsPerEpoch(options.dataset.train.count, options.recipe.batchSize);
    this.#events = new RunEvents(options, node, this.#epochSteps);
    this.#epochs = [...(resume?.checkpoint.info.epochs ?? [])];
    this.#beginning = resume ? resume.checkpoint.info.beginning : options.beginning;
    if (resume) this.#checkResumed(resume);
    this.#checkpoints = checkpoints && heldFolder && new Checkpoints(checkpoints, heldFolder, this.#epochSteps, resume);
  }

  #checkResumed({ path, checkpoint, skipped }: FoundCheckpoint): void {
    for (const text of skipped) {
      this.warn({ code: 'LOCKSTEP_CHECKPOINT_SKIPPED', message: `${text} The run goes on from ${path}.` });
    }
    const differences = checkResume(checkpoint.info, this.options, this.options.override === true);
    if (differences.length === 0) return;
    this.#beginning = { overriddenAt: checkpoint.info.step, ...this.#beginning };
    const message = `the run goes on from step ${checkpoint.info.step} although ${differences.join('; ')}.`;
    this.warn({ code: 'LOCKSTEP_CHECKPOINT_OVERRIDE', message });
  }

  /** With what is in doubt by now. */
  get #beginningNow(): RunOptions['beginning'] {
    return addDoubts(this.#beginning, this.node);
  }

  /** Takes a warning into the run's events. */
  warn(warning: Omit<WarningEvent, 'event'>): void {
    this.#warnings.push({ event: 'warning', ...warning });
  }

  /** Takes what happened to nodes, or a warning, into the run's events. */
  emit(event: NodeEvent | WarningEvent): void {
    this.#warnings.push(event);
  }

  /** Runs the recipe from the first step, or from where the resumed run was. Observers hear of an event before the reader. */
  async *run(): AsyncGenerator<RunEvent, void> {
    const known = { events: this.#events, epochs: this.#epochs, beginning: this.#beginning };
    const hasCheckpoints = this.#checkpoints !== undefined;
    const view = viewRun(this.options, this.node, { ...known, stepsPerEpoch: this.#epochSteps, hasCheckpoints });
    this.#observers.begin(view);
    for await (const event of this.#run()) {
      this.#observers.onEvent(event);
      yield event;
    }
  }

  async *#run(): AsyncGenerator<RunEvent, void> {
    const { recipe } = this.options;
    const resume = this.options.resume?.checkpoint;
    const totalSteps = Math.min(this.options.steps ?? Number.POSITIVE_INFINITY, recipe.epochs * this.#epochSteps);
    if (resume) await this.node.restore(adaptSnapshot(resume, recipe));
    yield this.#events.start();
    yield { event: 'data', ...this.#events.report };
    yield* this.#drainWarnings();
    let steps = resume?.info.step ?? 0;
    let seconds = resume?.info.epochSeconds ?? 0;
    let test: Evaluated | undefined;
    // steps of a run that was stopped further on: there is nothing left to do
    let reason: Exclude<EndEvent['reason'], Halt['reason']> =
      this.#stopReason(steps) ?? (totalSteps < recipe.epochs * this.#epochSteps ? 'steps' : 'completed');
    let halt: Halt | undefined;
    while (steps < totalSteps && this.#stopReason(steps) === undefined) {
      const wasHeld = yield* this.#hold(steps, seconds);
      halt = wasHeld ? this.#halt() : undefined;
      if (halt) break;
      const epoch = Math.floor(steps / this.#epochSteps);
      const nextCheckpoint = this.#checkpoints?.nextStep(steps) ?? Number.POSITIVE_INFINITY;
      // asked for before the segment begins: a short step could be over, and the next one begun, before it is told to stop
      const mostSteps = this.#isStopped || this.#control.isCalling ? steps + 1 : totalSteps;
      const endStep = Math.min(mostSteps, totalSteps, (epoch + 1) * this.#epochSteps, nextCheckpoint);
      // as if the epoch had run without a break
      const began = performance.now() - 1000 * seconds;
      const progress = yield* this.#segment({ epoch, firstStep: steps, endStep }, began);
      const hasGoneBack = progress.committed < steps;
      steps = progress.committed;
      seconds = (performance.now() - began) / 1000;
      if (hasGoneBack) seconds = yield* this.#takeBack(steps, seconds);
      test = undefined;
      try {
        if (steps === (epoch + 1) * this.#epochSteps && this.options.evaluate !== 'end') {
          test = await this.#evaluate(steps);
          yield* this.#drainWarnings();
          checkLoss(test, this.#progress(steps));
          const event = this.#events.epoch(epoch, progress, test, seconds);
          this.#epochs.push(event);
          yield event;
        }
        if (steps === (epoch + 1) * this.#epochSteps) seconds = 0;
        const stopReason = this.#stopReason(steps);
        reason = stopReason ?? reason;
        if (stopReason === undefined && steps < totalSteps) halt = this.#halt();
        const isLast = halt !== undefined || stopReason !== undefined || steps === totalSteps;
        if (steps === totalSteps) {
          test ??= await this.#evaluate(steps);
          this.#checkEnd(test, steps);
        }
        // what the run had before it went back may be gone
        yield* this.#keepCheckpoint(steps, seconds, isLast || hasGoneBack);
      } catch (error) {
        const backAt = isDivergence(error) ? this.node.retrace?.() : undefined;
        if (backAt === undefined) throw error;
        halt = undefined;
        steps = backAt;
        seconds = yield* this.#takeBack(steps, seconds);
      }
      if (halt) break;
    }
    test ??= await this.#evaluate(steps);
    yield* this.#drainWarnings();
    this.#checkEnd(test, steps);
    yield this.#events.end(steps, test, { ...(halt ?? { reason }), ...listDoubts(this.#beginningNow) });
  }

  /**
   * The run went back to before its last segment: what came of later steps does not count any more.
   *
   * @param seconds of the epoch that was under way
   * @returns those of the epoch that is under way now
   */
  async *#takeBack(step: number, seconds: number): AsyncGenerator<RunEvent, number> {
    const epochs = Math.floor(step / this.#epochSteps);
    const first = this.#epochs.findIndex(({ epoch }) => epoch > epochs);
    const [again] = first < 0 ? [] : this.#epochs.splice(first);
    this.#checkpoints?.takeBack(step, this.#epochs, (warning) => this.warn(warning));
    yield* this.#drainWarnings();
    return again === undefined ? seconds : (again.seconds * (step % this.#epochSteps)) / this.#epochSteps;
  }

  #checkEnd(test: Evaluated, step: number): void {
    checkLoss(test, this.#progress(step));
    const learned = [this.node.readState(), this.node.readAverage()].flatMap(vectorsOf);
    checkVectors(learned, this.#progress(step));
  }

  #stopReason(step: number): StopReason | undefined {
    return findStopReason(this.options, this.#epochs, this.#progress(step));
  }

  #progress(step: number): Progress {
    return { step, epochSteps: this.#epochSteps };
  }

  #halt(): Halt | undefined {
    return findHalt(this.options.signal, this.#control);
  }

  get #isStopped(): boolean {
    return this.#halt() !== undefined;
  }

  /** Waits while the run is paused. @returns whether it was */
  async *#hold(step: number, epochSeconds: number): AsyncGenerator<RunEvent, boolean> {
    if (!this.#control.isPaused || this.#isStopped) return false;
    yield { event: 'paused', step };
    while (this.#control.isPaused && !this.#isStopped) {
      if (!this.#control.wantsCheckpoint) await awaitRequest(this.#control, this.options.signal);
      yield* this.#keepCheckpoint(step, epochSeconds, false);
      yield* this.#drainWarnings();
    }
    if (!this.#isStopped) yield { event: 'resumed', step };
    return true;
  }

  /** A checkpoint that cannot be written costs a warning, not the run. */
  async *#keepCheckpoint(step: number, epochSeconds: number, isLast: boolean): AsyncGenerator<RunEvent, void> {
    const isAsked = this.#control.takeCheckpoint();
    if (isAsked && !this.#checkpoints) {
      const message =
        'a checkpoint was asked for, but the run has no folder for them. Start it with --checkpoint FOLDER.';
      this.warn({ code: 'LOCKSTEP_CHECKPOINT_FOLDER', message });
    }
    if (!this.#checkpoints?.isDue(step, this.#epochs, isLast || isAsked)) return;
    const { model, recipe, seed } = this.options;
    const dataset = recordData(this.options.dataset);
    const beginning = this.#beginningNow;
    const runFolder = this.options.runFolder?.path;
    const kept = { epochs: this.#epochs, epochSeconds, ...(runFolder && { runFolder: resolve(runFolder) }) };
    const info = { step, seed, model, recipe, dataset, ...(beginning && { beginning }), ...kept };
    try {
      const snapshot = await this.node.readSnapshot();
      checkVectors([snapshot.state, snapshot.average], this.#progress(step));
      const checkpoint = { info, snapshot };
      const waysBack = this.node.waysBack?.();
      const path = this.#checkpoints.write(checkpoint, (warning) => this.warn(warning), waysBack);
      yield* this.#drainWarnings();
      yield { event: 'checkpoint', path, step, isBest: step === this.#checkpoints.bestStep(this.#epochs) };
    } catch (error) {
      if (!(error instanceof LockstepError) || isDivergence(error)) throw error;
      this.warn({ code: error.code, message: error.text });
      yield* this.#drainWarnings();
    }
  }

  /** Runs a segment; meanwhile reports how far it has come. */
  async *#segment(plan: SegmentPlan, began: number): AsyncGenerator<RunEvent, SegmentProgress> {
    const { signal } = this.options;
    const stop = (): void => this.node.stop();
    const stopIfAsked = (): void => {
      if (this.#isStopped || this.#control.isCalling) stop();
    };
    const running = this.node.train(plan);
    let isDone = false;
    const done = running.then(
      () => (isDone = true),
      () => (isDone = true),
    );
    // a segment begins with a clean slate, so a stop from before it must be said again
    stopIfAsked();
    signal?.addEventListener('abort', stop);
    const endListening = this.#control.onChange(stopIfAsked);
    try {
      while (!isDone) {
        await Promise.race([done, tick()]);
        this.#observers.onSteps(this.node.takeSteps());
        yield* this.#drainWarnings();
        if (!isDone) yield this.#events.progress(plan, this.node.progress(), began);
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      endListening();
      // the reader went away, or the segment failed: never leave workers in a segment
      if (!isDone) {
        stop();
        await done;
      }
    }
    yield* this.#drainWarnings();
    const progress = await running;
    yield this.#events.progress(plan, progress, began);
    return progress;
  }

  #evaluate(step: number): Promise<Evaluated> {
    const { dataset, recipe } = this.options;
    const epoch = Math.floor(step / this.#epochSteps);
    return evaluateNode(this.node, {
      hasValidation: dataset.validation.count > 0,
      hasAverage: recipe.ema !== undefined,
      onEvaluated: (record) => this.#observers.onEvaluated({ ...record, epoch, step }),
    });
  }

  *#drainWarnings(): Generator<WarningEvent | NodeEvent, void> {
    for (const failure of this.#observers.takeFailures()) this.warn(failure);
    yield* this.#warnings.splice(0);
  }
}

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PROGRESS_MS));
