/** How to go on with a run that did not come to its end, from what is on the disk. */
import type { EndEvent, RunEvent } from '@lockstep/core/events';
import { formatRate } from '@lockstep/core/text';
import { quote } from '../fields/field.js';
import type { RunSettings } from './run-settings.js';

type AdvisedSettings = Pick<RunSettings, 'checkpoints' | 'resume' | 'continues' | 'dryRun' | 'recipe'>;

export class ResumeAdvice {
  #step: number | undefined;
  #end: EndEvent | undefined;

  constructor(private readonly settings: AdvisedSettings) {
    this.#step = settings.resume?.checkpoint.info.step;
  }

  follow(event: RunEvent): void {
    if (event.event === 'checkpoint') this.#step = event.step;
    if (event.event === 'end') this.#end = event;
  }

  get isInterrupted(): boolean {
    return this.#end?.reason === 'interrupted';
  }

  /** Whether the run was stopped, interrupted, or failed. */
  get isNeeded(): boolean {
    if (this.settings.dryRun) return false;
    return this.#end === undefined || this.#end.reason === 'stopped' || this.#end.reason === 'interrupted';
  }

  /** For a run that has diverged, which would come to the same again; undefined where there is nothing to go on from. */
  get textAfterDivergence(): string | undefined {
    const { continues, dryRun, recipe } = this.settings;
    if (dryRun || this.#folder === undefined || this.#step === undefined) return undefined;
    const flags = `--override --learning-rate ${formatRate(recipe.learningRate / 10)}`;
    const command = continues
      ? `the same command with ${flags}`
      : `lockstep train --resume ${quote(this.#folder)} ${flags}`;
    return `Checkpoint of step ${this.#step}; to go on from there at a tenth of the rate: ${command}`;
  }

  get #folder(): string | undefined {
    return this.settings.checkpoints?.folder ?? this.settings.resume?.path;
  }

  get text(): string {
    const { continues } = this.settings;
    const folder = this.#folder;
    if (folder === undefined) return 'This run cannot be resumed: it was started without --checkpoint.';
    if (this.#step === undefined) return 'This run cannot be resumed: it has written no checkpoint yet.';
    const from = `Checkpoint of step ${this.#step}; to go on from there`;
    return continues ? `${from}: the same command again` : `${from}: lockstep train --resume ${quote(folder)}`;
  }
}
