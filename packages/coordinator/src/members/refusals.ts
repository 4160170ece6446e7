/** Tells of connections that were turned away: one by one, until they come faster than anybody reads; then how many. */
import type { NodeRefusedEvent } from '@lockstep/core/events';

/** Told one by one at once; */
const MOST = 50;
/** after these, one in so many milliseconds, with the number of those in between. */
const EVERY_MS = 10_000;

export class Refusals {
  #budget = MOST;
  #sinceMs = performance.now();
  /** Not told yet, and the last of them. */
  #untold = 0;
  #last: Omit<NodeRefusedEvent, 'event'> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly emit: (event: NodeRefusedEvent) => void) {}

  note(refusal: Omit<NodeRefusedEvent, 'event' | 'more'>): void {
    const now = performance.now();
    this.#budget = Math.min(MOST, this.#budget + (now - this.#sinceMs) / EVERY_MS);
    this.#sinceMs = now;
    if (this.#budget >= 1) {
      this.#budget -= 1;
      this.#tell(refusal);
      return;
    }
    this.#untold += 1;
    this.#last = refusal;
    this.#timer ??= setTimeout(() => this.#tellLast(), EVERY_MS).unref();
  }

  /** Tells of those that were not told. */
  close(): void {
    this.#tellLast();
  }

  #tellLast(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#last === undefined) return;
    this.#untold -= 1;
    this.#tell(this.#last);
  }

  #tell(refusal: Omit<NodeRefusedEvent, 'event' | 'more'>): void {
    const more = this.#untold;
    this.#untold = 0;
    this.#last = undefined;
    this.emit({ event: 'node-refused', ...refusal, ...(more > 0 && { more }) });
  }
}
