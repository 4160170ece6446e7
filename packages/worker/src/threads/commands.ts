/**
 * Commands: what a node's main thread has its workers do in a step that several nodes share. The workers stay in one long
 * task, as in a segment; here they wait for the next command instead of walking through the steps by themselves, because
 * what comes next depends on what arrives from other nodes. A command is a few words of shared memory.
 */
import type { ShardRange } from '@lockstep/core/run';

/** What a command asks for; several in one are done in this order, with a barrier between them. */
export const commandFlag = {
  /** Compute a range of shards into the workers' partials. */
  contribute: 1,
  /** Add up partials into other vectors of the arena, on a slice of them. */
  fold: 2,
  /** Work out the norm of the finished reduction. */
  squares: 4,
  /** Apply the finished reduction, on a slice. */
  update: 8,
  /** Leave the task. */
  leave: 16,
} as const;

/** Sum of partials of the arena: one vector of a fold. */
export interface FoldJob {
  /** Units of the vector to write. */
  readonly into: number;
  /** Units of the partials, in the order of shards. */
  readonly partials: readonly number[];
  readonly fold: readonly number[];
}

export interface Command {
  readonly flags: number;
  /** Global step, from 0. */
  readonly step: number;
  /** Units of the state to compute from. */
  readonly state: number;
  readonly range: ShardRange;
  /** Floats [offset, offset + length) of the vectors, for a fold or an update. */
  readonly offset: number;
  readonly length: number;
  readonly jobs: readonly FoldJob[];
}

const word = {
  seq: 0,
  folded: 1,
  done: 2,
  flags: 3,
  step: 4,
  state: 5,
  begin: 6,
  end: 7,
  offset: 8,
  length: 9,
  jobs: 10,
  /** Workers whose contribution of this command is final in its tail. */
  tails: 11,
  data: 12,
};

/** The shared words, from both sides. */
export class CommandBlock {
  constructor(readonly words: Int32Array<SharedArrayBuffer>) {}

  /** @param partials the most partials that the jobs of one command can have */
  static allocate(partials: number): Int32Array<SharedArrayBuffer> {
    return new Int32Array(new SharedArrayBuffer(4 * (word.data + 8 * partials + 16)));
  }

  /** Commands given so far: the number of the last one. */
  get count(): number {
    return Atomics.load(this.words, word.seq);
  }

  // ---- main thread ----

  /** Writes a command and wakes the workers. The one before must be done. */
  give({ flags, step, state, range, offset, length, jobs }: Command): number {
    const { words } = this;
    let at = word.data;
    for (const { into, partials, fold } of jobs) {
      words[at++] = into;
      words[at++] = partials.length;
      words[at++] = fold.length;
      words.set(partials, at);
      words.set(fold, at + partials.length);
      at += partials.length + fold.length;
    }
    words.set([flags, step, state, range.begin, range.end, offset, length, jobs.length], word.flags);
    this.forgetTails();
    const count = Atomics.add(words, word.seq, 1) + 1;
    Atomics.notify(words, word.seq);
    return count;
  }

  /** Resolves when the command's fold is finished, or all of it. */
  async awaitDone(count: number, part: 'folded' | 'done'): Promise<void> {
    const { words } = this;
    for (let now = Atomics.load(words, word[part]); now < count; now = Atomics.load(words, word[part])) {
      const waiting = atomics.waitAsync(words, word[part], now);
      if (waiting.async) await waiting.value;
    }
  }

  /** Before a command is carried out, for the first time or again. */
  forgetTails(): void {
    Atomics.store(this.words, word.tails, 0);
  }

  /** Whether the tails of this command are final; resolves when they are, or when the command is not the last one any more. */
  async awaitTails(count: number, workers: number): Promise<void> {
    const { words } = this;
    while (this.count === count) {
      const now = Atomics.load(words, word.tails);
      if (now >= workers) return;
      const waiting = atomics.waitAsync(words, word.tails, now);
      if (waiting.async) await waiting.value;
    }
  }

  hasTails(workers: number): boolean {
    return Atomics.load(this.words, word.tails) >= workers;
  }

  /** Wakes whoever waits in `awaitDone`, without anything being done: for the end. */
  release(): void {
    Atomics.store(this.words, word.folded, 0x7fff_ffff);
    Atomics.store(this.words, word.done, 0x7fff_ffff);
    Atomics.notify(this.words, word.folded);
    Atomics.notify(this.words, word.done);
  }

  // ---- workers ----

  /** Waits for a command after this one; false when none came for a while. */
  awaitNext(seen: number, spins: number, timeoutMs: number): boolean {
    for (let i = 0; i < spins && Atomics.load(this.words, word.seq) === seen; i++);
    if (Atomics.load(this.words, word.seq) === seen) Atomics.wait(this.words, word.seq, seen, timeoutMs);
    return Atomics.load(this.words, word.seq) !== seen;
  }

  read(): Command {
    const { words } = this;
    const [flags, step, state, begin, end, offset, length, jobCount] = words.subarray(
      word.flags,
      word.data,
    ) as unknown as [number, number, number, number, number, number, number, number];
    const jobs: FoldJob[] = [];
    for (let at = word.data; jobs.length < jobCount; ) {
      const [into, partialCount, foldLength] = words.subarray(at, at + 3) as unknown as [number, number, number];
      const partialsAt = at + 3;
      at = partialsAt + partialCount + foldLength;
      jobs.push({
        into,
        partials: [...words.subarray(partialsAt, partialsAt + partialCount)],
        fold: [...words.subarray(partialsAt + partialCount, at)],
      });
    }
    return { flags, step, state, range: { begin, end }, offset, length, jobs };
  }

  /** A worker's contribution is final in its tail. */
  noteTail(workers: number): void {
    const before = Atomics.add(this.words, word.tails, 1);
    if (before + 1 === workers) Atomics.notify(this.words, word.tails);
  }

  finish(count: number, part: 'folded' | 'done'): void {
    Atomics.store(this.words, word[part], count);
    Atomics.notify(this.words, word[part]);
  }
}

/** In Node since 16, in TypeScript's library from ES2024. */
const atomics = Atomics as typeof Atomics & {
  waitAsync(
    words: Int32Array,
    index: number,
    value: number,
  ): { readonly async: true; readonly value: Promise<string> } | { readonly async: false; readonly value: string };
};
