/**
 * One page that looks on: proves its secret, is sent what is new to it, and may press buttons. A page that takes nothing
 * in is skipped, and after a while dropped; nothing is kept for it.
 */
import { LockstepError } from '@lockstep/core/errors';
import { readJson } from '@lockstep/core/files';
import type { RunControl, RunPeers } from '@lockstep/core/seams';
import { type RawData, WebSocket } from 'ws';
import { z } from 'zod';
import type { Access } from './access.js';
import { type Feed, type Known, NOTHING_KNOWN } from './feed.js';
import type { PardonMessage, PeersFeed } from './peers-feed.js';

export const viewerLimits = {
  /** For the proof. */
  greetingMs: 5000,
  /** Without taking anything in. */
  stalledMs: 15_000,
  /** Of what a page may say at once. */
  messageBytes: 1024,
} as const;

const proofSchema = z.strictObject({ proof: z.string().length(64) });
const askSchema = z.strictObject({ ask: z.enum(['pause', 'resume', 'checkpoint', 'stop']) });
/** Name or address of nodes that may come again though they broke rules. */
const pardonSchema = z.strictObject({ pardon: z.string().min(1).max(300) });

export type Ask = z.output<typeof askSchema>['ask'];

/** Codes of RFC 6455. */
const closeCode = { leaving: 1001, rubbish: 1008 } as const;

export interface ViewerOptions {
  /** What its buttons press. */
  readonly control: RunControl | undefined;
  /** Where it is. */
  readonly address: string;
  readonly port: number;
  readonly peers: PeersFeed;
  /** It has broken a rule. */
  readonly onOffence: () => void;
  /** It has proved the secret. */
  readonly onAdmitted: () => void;
}

export class Viewer {
  readonly #nonce: string;
  readonly #known = new Map<Feed, Known>();
  /** Version of the peers that it was sent. */
  #knownPeers = 0;
  #isAdmitted = false;
  #stalledSinceMs: number | undefined;

  constructor(
    private readonly socket: WebSocket,
    private readonly access: Access,
    private readonly feeds: readonly Feed[],
    private readonly options: ViewerOptions,
  ) {
    this.#nonce = access.createNonce();
    const timer = setTimeout(() => this.#isAdmitted || this.#drop('no proof came'), viewerLimits.greetingMs);
    socket.on('close', () => clearTimeout(timer));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      // a frame that is too long, or is none; not a connection that broke
      if (code?.startsWith('WS_ERR_')) options.onOffence();
      socket.terminate();
    });
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    this.#send({ hello: { nonce: this.#nonce, needs: access.key === undefined ? 'token' : 'key' } });
  }

  get isAdmitted(): boolean {
    return this.#isAdmitted;
  }

  get address(): string {
    return this.options.address;
  }

  /** Sends what is new, if the page has taken in what it was sent before. */
  update(nowMs: number): void {
    if (!this.#isAdmitted || this.socket.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount > 0) {
      this.#stalledSinceMs ??= nowMs;
      if (nowMs - this.#stalledSinceMs > viewerLimits.stalledMs) this.socket.terminate();
      return;
    }
    this.#stalledSinceMs = undefined;
    for (const feed of this.feeds) {
      const news = feed.newsFor(this.#known.get(feed) ?? NOTHING_KNOWN);
      if (news === undefined) continue;
      this.#known.set(feed, news.known);
      this.socket.send(news.text);
    }
    const { peers } = this.options;
    if (peers.version === this.#knownPeers) return;
    this.#knownPeers = peers.version;
    this.socket.send(peers.text);
  }

  /** The run has ended, or the program does. */
  leave(): void {
    this.socket.close(closeCode.leaving, 'the run has ended');
  }

  #receive(data: RawData, isBinary: boolean): void {
    const message = isBinary ? undefined : readJson(String(data));
    const fault = this.#isAdmitted ? this.#obey(message) : this.#admit(message);
    if (fault !== undefined) this.#drop(fault);
  }

  /** Presses a button. @returns what is wrong with the message */
  #obey(message: unknown): string | undefined {
    const { control } = this.options;
    const { data: asked } = askSchema.safeParse(message);
    const { data: mercy } = pardonSchema.safeParse(message);
    if (asked && control) control[asked.ask]();
    // it may have been pressed as the run ended
    else if (mercy && control) this.#pardon(mercy.pardon, control.peers);
    else return 'not understood';
    return undefined;
  }

  #pardon(who: string, peers: RunPeers | undefined): void {
    const { address, port } = this.options;
    const answer = (count: number, refusal?: string): void =>
      this.#send({ pardoned: { who, count, ...(refusal !== undefined && { refusal }) } } satisfies PardonMessage);
    try {
      answer(peers?.pardon(who, `${address}:${port}`) ?? 0);
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      answer(0, error.text);
    }
  }

  /** Lets a page in that proves its secret. @returns what is wrong with the message */
  #admit(message: unknown): string | undefined {
    const { data: said } = proofSchema.safeParse(message);
    if (said === undefined) return 'not understood';
    if (!this.access.isProof(this.#nonce, said.proof)) return 'wrong secret';
    this.#isAdmitted = true;
    this.options.onAdmitted();
    this.#send({ welcome: { runs: this.feeds.length, canAsk: this.options.control !== undefined } });
    this.update(performance.now());
    return undefined;
  }

  #drop(reason: string): void {
    this.options.onOffence();
    this.socket.close(closeCode.rubbish, reason);
  }

  #send(message: unknown): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
