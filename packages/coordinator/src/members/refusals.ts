/** Tells of connections that were turned away: one by one, until they come faster than anybody reads; then how many. */
import type { NodeRefusedEvent } from '@lockstep/core/events';

/** Told one by one at once, and remembered; */
const MOST = 50;
/** after these, one in so many milliseconds, with the number of those in between. */
const EVERY_MS = 10_000;

type Refusal = Omit<NodeRefusedEvent, 'event' | 'more'>;

export class Refusals {
  #budget = MOST;
  #sinceMs = performance.now();
  /** Not told yet, and the last of them. */
  #untold = 0;
  #last: Refusal | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The latest first, told or not. */
  readonly #recent: { readonly refusal: Refusal; readonly atMs: number }[] = [];

  constructor(private readonly emit: (event: NodeRefusedEvent) => void) {}

  note(refusal: Refusal): void {
    const now = performance.now();
    this.#recent.unshift({ refusal, atMs: now });
    this.#recent.splice(MOST);
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

  /** The last ones, the latest first. */
  list(): (Refusal & { readonly secondsAgo: number })[] {
    const now = performance.now();
    return this.#recent.map(({ refusal, atMs }) => ({ ...refusal, secondsAgo: (now - atMs) / 1000 }));
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

  #tell(refusal: Refusal): void {
    const more = this.#untold;
    this.#untold = 0;
    this.#last = undefined;
    this.emit({ event: 'node-refused', ...refusal, ...(more > 0 && { more }) });
  }
}
