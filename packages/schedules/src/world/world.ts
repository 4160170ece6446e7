/**
 * Simulated time. Everything that happens is an event of a machine: a timer that ends, bytes that leave or arrive. Events
 * are run one after the other, in the order of their times, and what one sets going (promises) comes to rest before the
 * next: so a schedule is a function of its seed.
 */
import { Agenda, type Entry } from './agenda.js';
import type { Machine } from './machine.js';

export class World {
  nowMs = 0;
  /** Events that were run. */
  events = 0;
  /** Whose event is run. */
  current: Machine | undefined;
  /** Called when an event has come to rest. */
  onRest: () => void = () => {};
  /** Called with what a machine threw: a real process would have ended. */
  onFailure: (machine: Machine | undefined, error: unknown) => void = () => {};
  readonly #agenda = new Agenda();
  readonly #rest: () => Promise<void>;

  /** @param rest resolves when all promises that can go on have done so */
  constructor(rest: () => Promise<void>) {
    this.#rest = rest;
  }

  /** Runs something on a machine, or on none, so many milliseconds from now. */
  after(ms: number, machine: Machine | undefined, run: () => void): Entry {
    return this.#agenda.add(this.nowMs + Math.max(0, ms), machine, run);
  }

  /**
   * Lets time pass.
   *
   * @returns whether `isOver` came to hold; false when nothing is left to happen, or the time is up
   */
  async pass(isOver: () => boolean, limitMs: number): Promise<boolean> {
    while (!isOver()) {
      const next = this.#agenda.take();
      if (next === undefined || next.atMs > limitMs) return false;
      const { machine } = next;
      if (next.isCancelled || machine?.isAlive === false) continue;
      if (machine && machine.frozenUntilMs > next.atMs) {
        this.#agenda.put(next, machine.frozenUntilMs);
        continue;
      }
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.events++;
      this.current = machine;
      try {
        next.run();
      } catch (error) {
        this.onFailure(machine, error);
      }
      await this.#rest();
      this.current = undefined;
      this.onRest();
    }
    return true;
  }
}
