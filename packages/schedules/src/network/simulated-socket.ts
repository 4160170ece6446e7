/** One end of a simulated connection: what a WebSocket is to a link (core/wire), without a network beneath. */
import type { Pipe, Socket } from '@lockstep/core/wire';
import type { Machine } from '../world/machine.js';
import type { World } from '../world/world.js';

/** How bytes go from one end to the other, as it is at this moment. */
export interface Way {
  /** Milliseconds on the way, drawn for each frame. */
  latencyMs(): number;
  readonly bytesPerMs: number;
  /** Nothing arrives before this: a cable that is out, a network that is cut in two. */
  blockedUntilMs(): number;
}

const STATE = { connecting: 0, open: 1, closing: 2, closed: 3 } as const;
/** Codes of a WebSocket's end: closed by a rule, or without a word. */
const CLOSED = 1008;
const BROKEN = 1006;
/** Messages of a handshake that come to either end. */
const GREETINGS = 3;
const PING_BYTES = 6;
/** Where a ping would take longer, the bytes of frames alone are a sign of life. */
const MOST_PING_MS = 1000;
type Handler = (...args: never[]) => void;

/** Bytes on their way out, one after the other. */
interface Leaving {
  readonly fromMs: number;
  readonly toMs: number;
  readonly bytes: number;
  /** Whether they follow a message: sums, a state, a piece of the data. */
  readonly isPayload: boolean;
}

export class SimulatedSocket implements Socket, Pipe {
  readyState: number = STATE.connecting;
  other!: SimulatedSocket;
  /** Whether the next frame that arrives here has a bit flipped, drawn by this. */
  flip: ((bits: number) => number) | undefined;
  readonly #handlers = new Map<string, Handler[]>();
  /** When the last bytes have left, and arrived. */
  #leftMs = 0;
  #arrivedMs = 0;
  /** Bytes of whole frames that have come. */
  #bytesHeard = 0;
  readonly #leaving: Leaving[] = [];
  #message: Buffer[] = [];
  /** Whether a frame has begun that was given to this and has not ended. */
  #isWithin = false;
  #heard = 0;

  constructor(
    private readonly world: World,
    readonly machine: Machine,
    private readonly way: Way,
  ) {}

  on(event: string, handler: Handler): this {
    this.#handlers.set(event, [...(this.#handlers.get(event) ?? []), handler]);
    return this;
  }

  /** Called when the other end has accepted. */
  onOpen: () => void = () => {};

  /** Takes the connection that the other end has asked for. */
  accept(): void {
    this.readyState = STATE.open;
    this.#arrive(() => {
      if (this.other.readyState !== STATE.connecting) return;
      this.other.readyState = STATE.open;
      this.other.onOpen();
    });
  }

  /** The bytes are read when they leave, so that whoever writes over them too early is found out. */
  send(data: Uint8Array, { fin }: { readonly fin: boolean }, done?: (error?: Error) => void): void {
    if (this.readyState === STATE.connecting) throw new Error('WebSocket is not open: readyState 0 (CONNECTING)');
    if (this.readyState !== STATE.open) {
      process.nextTick(() => done?.(new Error('WebSocket is not open')));
      return;
    }
    const fromMs = Math.max(this.#leftMs, this.world.nowMs);
    this.#leftMs = fromMs + data.length / this.way.bytesPerMs;
    this.#leaving.push({ fromMs, toMs: this.#leftMs, bytes: data.length, isPayload: this.#isWithin });
    this.#isWithin = !fin;
    this.world.after(this.#leftMs - this.world.nowMs, this.machine, () => {
      this.#leaving.shift();
      if (this.readyState === STATE.closed) return done?.(new Error('the connection ended'));
      this.#message.push(Buffer.from(data));
      if (fin) {
        const parts = this.#message.splice(0);
        this.#arrive(() => this.other.#receive(parts));
      }
      done?.();
    });
  }

  get bufferedAmount(): number {
    return this.#leaving.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Bytes that are kept here for the other end until they have left, without the messages before them. */
  get payloadBytes(): number {
    let sum = 0;
    for (const { bytes, isPayload } of this.#leaving) if (isPayload) sum += bytes;
    return sum;
  }

  /** What has come, with what is there of the frame that is on its way. */
  get bytesRead(): number {
    const [first] = this.other.#leaving;
    const { nowMs } = this.world;
    const isComing = first !== undefined && this.other.way.blockedUntilMs() <= nowMs && first.toMs < Infinity;
    // what a machine had sent that is no more comes to its end, and nothing after it
    const share = isComing ? Math.min(1, Math.max(0, (nowMs - first.fromMs) / (first.toMs - first.fromMs))) : 0;
    return this.#bytesHeard + Math.floor(share * (first?.bytes ?? 0));
  }

  cork(): void {}

  uncork(): void {}

  ping(): void {
    this.#inTurn(() => this.other.#hearPing());
  }

  #hearPing(): void {
    this.#emit('ping');
    this.#inTurn(() => this.other.#emit('pong'));
  }

  /** A frame of no size to speak of, behind what has not left yet; none where nothing leaves. */
  #inTurn(arrive: () => void): void {
    const { nowMs } = this.world;
    if (this.readyState !== STATE.open || PING_BYTES / this.way.bytesPerMs > MOST_PING_MS) return;
    if (this.#leftMs <= nowMs) this.#arrive(arrive);
    else this.world.after(this.#leftMs - nowMs, this.machine, () => this.#arrive(arrive));
  }

  close(): void {
    if (this.readyState !== STATE.open) return;
    this.readyState = STATE.closing;
    this.world.after(Math.max(0, this.#leftMs - this.world.nowMs), this.machine, () => {
      // in order: the other end has all that was sent before, and says so
      this.#arrive(() => {
        this.other.#end(CLOSED);
        this.other.#arrive(() => this.#end(CLOSED));
      });
    });
  }

  terminate(): void {
    if (this.readyState === STATE.closed) return;
    this.readyState = STATE.closed;
    this.world.after(0, this.machine, () => this.#emit('close', BROKEN, Buffer.alloc(0)));
    this.#arrive(() => this.other.#end());
  }

  /** The machine at this end is no more: its system says so to the other end, or the power is gone and nothing does. */
  vanish(isTold: boolean): void {
    this.readyState = STATE.closed;
    if (isTold) this.#arrive(() => this.other.#end());
  }

  /** The connection breaks in the middle of whatever is on its way. */
  cut(): void {
    for (const end of [this, this.other] as const) {
      this.world.after(end.way.latencyMs(), end.machine, () => {
        if (end.readyState === STATE.closed) return;
        end.#emit('error', new Error('read ECONNRESET'));
        end.#end();
      });
    }
  }

  #receive(parts: Buffer[]): void {
    if (this.readyState !== STATE.open) return;
    this.#heard++;
    this.#bytesHeard += parts.reduce((sum, part) => sum + part.length, 0);
    // before there is a key a flipped bit is a wrong token, or another release: a node ends with that code
    if (this.flip && this.#heard > GREETINGS) {
      const bytes = parts.reduce((sum, part) => sum + part.length, 0);
      let at = this.flip(8 * bytes);
      this.flip = undefined;
      for (const part of parts) {
        if (at < 8 * part.length) {
          part[at >> 3] = (part[at >> 3] as number) ^ (1 << (at & 7));
          break;
        }
        at -= 8 * part.length;
      }
    }
    this.#emit('message', parts, true);
  }

  #end(code = BROKEN): void {
    if (this.readyState === STATE.closed) return;
    this.readyState = STATE.closed;
    this.#emit('close', code, Buffer.alloc(0));
  }

  /** Later than all that went this way before, and not while nothing comes through. */
  #arrive(run: () => void): void {
    const { world, way, other } = this;
    this.#arrivedMs = Math.max(this.#arrivedMs, world.nowMs + way.latencyMs());
    const look = (): void => {
      const untilMs = way.blockedUntilMs();
      if (untilMs > world.nowMs) world.after(untilMs - world.nowMs, other.machine, look);
      else run();
    };
    world.after(this.#arrivedMs - world.nowMs, other.machine, look);
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const handler of this.#handlers.get(event) ?? []) (handler as (...all: unknown[]) => void)(...args);
  }
}
