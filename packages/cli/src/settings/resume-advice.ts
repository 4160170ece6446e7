/** How to go on with a run that did not come to its end, from what is on the disk. */
import type { EndEvent, RunEvent } from '@lockstep/core/events';
import { quote } from './fields.js';
import type { RunSettings } from './run-settings.js';

export class ResumeAdvice {
  #step: number | undefined;
  #end: EndEvent | undefined;

  constructor(private readonly settings: Pick<RunSettings, 'checkpoints' | 'resume' | 'continues' | 'dryRun'>) {
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

  get text(): string {
    const { checkpoints, resume, continues } = this.settings;
    const folder = checkpoints?.folder ?? resume?.path;
    if (folder === undefined) return 'This run cannot be resumed: it was started without --checkpoint.';
    if (this.#step === undefined) return 'This run cannot be resumed: it has written no checkpoint yet.';
    const from = `Checkpoint of step ${this.#step}; to go on from there`;
    return continues ? `${from}: the same command again` : `${from}: lockstep train --resume ${quote(folder)}`;
  }
}
