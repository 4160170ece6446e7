/** What is to happen, the earliest first; of two at one time that which was added first. A binary heap. */
import type { Machine } from './machine.js';

export interface Entry {
  atMs: number;
  readonly order: number;
  readonly machine: Machine | undefined;
  readonly run: () => void;
  isCancelled: boolean;
}

const isBefore = (a: Entry, b: Entry): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

export class Agenda {
  readonly #heap: Entry[] = [];
  #count = 0;

  add(atMs: number, machine: Machine | undefined, run: () => void): Entry {
    const entry = { atMs, order: this.#count++, machine, run, isCancelled: false };
    this.#push(entry);
    return entry;
  }

  /** Puts an entry that was taken back, for later. */
  put(entry: Entry, atMs: number): void {
    entry.atMs = atMs;
    this.#push(entry);
  }

  take(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (left < heap.length && isBefore(heap[left] as Entry, heap[least] as Entry)) least = left;
      if (right < heap.length && isBefore(heap[right] as Entry, heap[least] as Entry)) least = right;
      if (least === at) return first;
      [heap[at], heap[least]] = [heap[least] as Entry, heap[at] as Entry];
      at = least;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(entry, heap[above] as Entry)) return;
      [heap[at], heap[above]] = [heap[above] as Entry, entry];
      at = above;
    }
  }
}
