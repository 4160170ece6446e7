/**
 * Who is to be told how the run has ended, and who has been. At its end a node may be on its way: in the handshake, back
 * after a lost connection, or started by a launcher and not here yet. The port stays open until all of them have been
 * told, or the time for it is over; docs/cluster.md has the table.
 */
import { countOf } from '@lockstep/core/text';
import type { Link, MessageOf } from '@lockstep/core/wire';

/** For all of it. */
const MOST_MS = 60_000;
/** Names that are remembered. */
const MOST_AWAY = 1024;
/** A wait that is over sooner needs no words. */
const TELL_AFTER_MS = 1000;

export interface FarewellTerms {
  /** Nodes that come sooner or later: those that have never been here are waited for. */
  readonly expected: number;
  /** Who lost its connection so long ago, and has not come back, is not waited for. */
  readonly awayMs: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Gets one line where the wait is a long one. */
  readonly tell?: ((line: string) => void) | undefined;
}

export class Farewells {
  /** Nodes that have proved the token, each once however often it came. */
  #seen = 0;
  /** By node: when each connection was lost that was not made again. Nodes may call themselves alike. */
  readonly #away = new Map<string, number[]>();
  /** Connections whose nodes are being told. */
  #parting = 0;
  /** Connections of nodes that could not be told yet. */
  #arriving = 0;
  #wake: () => void = () => {};

  /** A node has proved the token, for the first time or again; it is `settled` when it takes part, is told, or is gone. */
  arrive(key: string): void {
    this.#arriving += 1;
    const lost = this.#away.get(key);
    if (lost === undefined) this.#seen += 1;
    else if (lost.length > 1) lost.shift();
    else this.#away.delete(key);
  }

  settled(): void {
    this.#arriving -= 1;
    this.#wake();
  }

  /** Its connection is lost, and nobody has sent it away: it may come back. */
  lose(key: string): void {
    this.#away.set(key, [...(this.#away.get(key) ?? []), performance.now()]);
    const [oldest] = this.#away.keys();
    if (this.#away.size > MOST_AWAY && oldest !== undefined) this.#away.delete(oldest);
    this.#wake();
  }

  /** Tells a node; one that has not got it may come back. */
  async part(link: Link, key: string, goodbye: MessageOf<'end'>): Promise<void> {
    this.#parting += 1;
    link.close(goodbye, goodbye.text);
    if (!(await link.parted)) this.lose(key);
    this.#parting -= 1;
    this.#wake();
  }

  /** Resolves when everybody was told, or is not waited for any more. */
  async settle({ expected, awayMs, signal, tell }: FarewellTerms): Promise<void> {
    const beganMs = performance.now();
    const endMs = beganMs + MOST_MS;
    const wasAborted = signal?.aborted === true;
    let tellMs = beganMs + TELL_AFTER_MS;
    const stop = (): void => this.#wake();
    signal?.addEventListener('abort', stop);
    for (;;) {
      const now = performance.now();
      const away = [...this.#away.values()].flat().map((lostMs) => Math.min(lostMs + awayMs, endMs));
      const missing = Math.max(0, expected - this.#seen);
      const atWork = missing + this.#arriving + this.#parting;
      const ends = [...away, ...(atWork > 0 ? [endMs] : [])].filter((untilMs) => untilMs > now);
      if (ends.length === 0 || (signal?.aborted === true && !wasAborted)) break;
      const untilMs = Math.max(...ends);
      if (now >= tellMs && tell) {
        const count = ends.length - (atWork > 0 ? 1 : 0) + atWork;
        const seconds = countOf(Math.ceil((untilMs - now) / 1000), 'second');
        tell(`Waiting up to ${seconds} for ${countOf(count, 'node')} still to be told how the run has ended.`);
        tellMs = Number.POSITIVE_INFINITY;
      }
      await this.#pause(Math.min(...ends, tell ? tellMs : Number.POSITIVE_INFINITY) - now);
    }
    signal?.removeEventListener('abort', stop);
  }

  /** Until something happens, or so long. */
  async #pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, Math.max(0, ms));
    });
    clearTimeout(timer);
  }
}
