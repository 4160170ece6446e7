/** The page's one connection: proves the secret, hands on what comes, and comes back by itself when it is lost. */
import type { RunMessage } from '../feed.js';
import type { PardonMessage, PeersMessage } from '../peers-feed.js';
import { proveView } from './proof.js';

export type Ask = 'pause' | 'resume' | 'checkpoint' | 'stop';

export interface Listener {
  onRun(message: RunMessage): void;
  onPeers(peers: PeersMessage['peers']): void;
  onPardoned(pardoned: PardonMessage['pardoned']): void;
  /** The secret was right. */
  onWelcome(welcome: { readonly runs: number; readonly canAsk: boolean }): void;
  onLost(): void;
  /** A secret is needed. Calls back with what the person typed. */
  askSecret(needs: Needs, wasWrong: boolean, use: (secret: string) => void): void;
}

/** The token of the run, or the key at the end of the address that was printed. */
export type Needs = 'key' | 'token';

interface Hello {
  readonly nonce: string;
  readonly needs: Needs;
}

interface Message extends Partial<RunMessage>, Partial<PeersMessage>, Partial<PardonMessage> {
  readonly hello?: Hello;
  readonly welcome?: { readonly runs: number; readonly canAsk: boolean };
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;
const WRONG_SECRET = 'wrong secret';

export class Connection {
  #socket: WebSocket | undefined;
  #waitMs = FIRST_WAIT_MS;
  #isAsking = false;
  #needs: Needs = 'token';

  constructor(private readonly listener: Listener) {}

  open(): void {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/run`);
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(String(data)) as Message));
    socket.addEventListener('close', ({ reason }) => {
      // one that was closed for another is not lost
      if (socket === this.#socket) this.#onClosed(reason === WRONG_SECRET);
    });
  }

  ask(ask: Ask): void {
    this.#socket?.send(JSON.stringify({ ask }));
  }

  pardon(who: string): void {
    this.#socket?.send(JSON.stringify({ pardon: who }));
  }

  #receive({ hello, welcome, peers, pardoned, ...message }: Message): void {
    if (hello) this.#greet(hello);
    else if (peers) this.listener.onPeers(peers);
    else if (pardoned) this.listener.onPardoned(pardoned);
    else if (welcome) {
      this.#waitMs = FIRST_WAIT_MS;
      this.listener.onWelcome(welcome);
    } else this.listener.onRun(message as RunMessage);
  }

  #greet({ nonce, needs }: Hello): void {
    this.#needs = needs;
    const secret = sessionStorage.getItem(placeOf(needs));
    if (secret) this.#socket?.send(JSON.stringify({ proof: proveView(secret, nonce) }));
    else this.#askSecret(false);
  }

  #askSecret(wasWrong: boolean): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.listener.askSecret(this.#needs, wasWrong, (secret) => {
      sessionStorage.setItem(placeOf(this.#needs), secret);
      this.#isAsking = false;
      this.#socket?.close();
      this.open();
    });
  }

  #onClosed(isWrong: boolean): void {
    if (isWrong) {
      sessionStorage.removeItem(placeOf(this.#needs));
      this.#askSecret(true);
    }
    if (this.#isAsking) return;
    this.listener.onLost();
    setTimeout(() => this.open(), this.#waitMs);
    this.#waitMs = Math.min(LONGEST_WAIT_MS, 2 * this.#waitMs);
  }
}

const placeOf = (needs: Needs): string => `lockstep.${needs}`;

/** Takes the key out of the page's address, where it would stay in the history and in links that are handed on. */
export function takeKey(): void {
  const key = /^#key=([0-9a-f]{64})$/.exec(location.hash)?.[1];
  if (key === undefined) return;
  sessionStorage.setItem(placeOf('key'), key);
  history.replaceState(null, '', location.pathname + location.search);
}
