/** The page's one connection: proves the secret, hands on what comes, and comes back by itself when it is lost. */
import type { RunMessage } from '../feed.js';
import { proveView } from './proof.js';

export type Ask = 'pause' | 'resume' | 'checkpoint' | 'stop';

export interface Listener {
  onRun(message: RunMessage): void;
  /** The secret was right. */
  onWelcome(welcome: { readonly runs: number; readonly canAsk: boolean }): void;
  onLost(): void;
  /** A token is needed. Calls back with what the person typed. */
  askToken(wasWrong: boolean, use: (token: string) => void): void;
}

interface Hello {
  readonly nonce: string;
  readonly needs: 'key' | 'token';
}

interface Message extends Partial<RunMessage> {
  readonly hello?: Hello;
  readonly welcome?: { readonly runs: number; readonly canAsk: boolean };
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;
const TOKEN_KEY = 'lockstep.token';
const WRONG_SECRET = 'wrong secret';

export class Connection {
  #socket: WebSocket | undefined;
  #waitMs = FIRST_WAIT_MS;
  #isAsking = false;

  constructor(private readonly listener: Listener) {}

  open(): void {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/run`);
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => void this.#receive(JSON.parse(String(data)) as Message));
    socket.addEventListener('close', ({ reason }) => {
      // one that was closed for another is not lost
      if (socket === this.#socket) this.#onClosed(reason === WRONG_SECRET);
    });
  }

  ask(ask: Ask): void {
    this.#socket?.send(JSON.stringify({ ask }));
  }

  async #receive({ hello, welcome, ...message }: Message): Promise<void> {
    if (hello) await this.#greet(hello);
    else if (welcome) {
      this.#waitMs = FIRST_WAIT_MS;
      this.listener.onWelcome(welcome);
    } else this.listener.onRun(message as RunMessage);
  }

  async #greet({ nonce, needs }: Hello): Promise<void> {
    const socket = this.#socket;
    const secret = needs === 'key' ? await fetchKey() : sessionStorage.getItem(TOKEN_KEY);
    if (secret) socket?.send(JSON.stringify({ proof: proveView(secret, nonce) }));
    else this.#askToken(false);
  }

  #askToken(wasWrong: boolean): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.listener.askToken(wasWrong, (token) => {
      sessionStorage.setItem(TOKEN_KEY, token);
      this.#isAsking = false;
      this.#socket?.close();
      this.open();
    });
  }

  #onClosed(isWrong: boolean): void {
    if (isWrong) {
      sessionStorage.removeItem(TOKEN_KEY);
      this.#askToken(true);
    }
    if (this.#isAsking) return;
    this.listener.onLost();
    setTimeout(() => this.open(), this.#waitMs);
    this.#waitMs = Math.min(LONGEST_WAIT_MS, 2 * this.#waitMs);
  }
}

async function fetchKey(): Promise<string | undefined> {
  try {
    const { key } = (await (await fetch('/key')).json()) as { key?: string };
    return key;
  } catch {
    return undefined;
  }
}
