/** The observers of a run, taken together: calls each of them, and lets none of them disturb the run. */

import type { RunEvent, StepTimes, WarningEvent } from '@lockstep/core/events';
import type { EvaluationRecord, RunObserver, RunView } from '@lockstep/core/seams';

/** An observer that takes longer than this to end is left behind. */
const CLOSE_MS = 10_000;

export class Observers {
  #live: RunObserver[];
  readonly #failures: Omit<WarningEvent, 'event'>[] = [];
  #closing: Promise<void> | undefined;

  constructor(observers: readonly RunObserver[]) {
    this.#live = [...observers];
  }

  /** Whether anybody looks at where the time of steps goes. */
  get wantsSteps(): boolean {
    return this.#live.some(({ onSteps }) => onSteps !== undefined);
  }

  begin(view: RunView): void {
    this.#each((observer) => observer.begin?.(view));
  }

  onEvent(event: RunEvent): void {
    this.#each((observer) => observer.onEvent?.(event));
  }

  onEvaluated(evaluation: EvaluationRecord): void {
    this.#each((observer) => observer.onEvaluated?.(evaluation));
  }

  onSteps(times: readonly StepTimes[]): void {
    if (times.length > 0) this.#each((observer) => observer.onSteps?.(times));
  }

  onFailed(error: unknown): void {
    this.#each((observer) => observer.onFailed?.(error));
  }

  /** What went wrong since the last call. */
  takeFailures(): Omit<WarningEvent, 'event'>[] {
    return this.#failures.splice(0);
  }

  /** Ends every observer, once. */
  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#live.map((observer) => this.#end(observer))).then(() => {});
    return this.#closing;
  }

  #each(call: (observer: RunObserver) => void): void {
    for (const observer of this.#live) {
      try {
        call(observer);
      } catch (error) {
        this.#live = this.#live.filter((other) => other !== observer);
        this.#note(observer, error);
        // what it holds open must not keep the process alive
        void (async () => observer.close?.())().catch(() => {});
      }
    }
  }

  async #end(observer: RunObserver): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it did not end within ${CLOSE_MS / 1000} s`)), CLOSE_MS);
    });
    try {
      await Promise.race([observer.close?.(), late]);
    } catch (error) {
      this.#note(observer, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #note({ name }: RunObserver, error: unknown): void {
    const reason = (error as Error).message;
    const message = `${name} failed (${reason}); it gets nothing more of this run. The run is not affected.`;
    this.#failures.push({ code: 'LOCKSTEP_OBSERVER_FAILED', message });
  }
}
