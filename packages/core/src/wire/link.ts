/**
 * One end of a connection between two nodes: frames in and out, heartbeats, and one way to end with a reason. It is
 * given its socket, so that this file needs none.
 */
import { LockstepError } from '../errors/errors.js';
import { countOf } from '../text/count-text.js';
import { fixed } from '../text/number-text.js';
import type { Carrier } from './carrier.js';
import { decodeFrame, encodeHeader, type Frame, FrameSeal, MAX_GREETING_BYTES, MAX_PAYLOAD_BYTES } from './frames.js';
import type { LinkTimings } from './link-timings.js';
import type { Message, MessageOf } from './messages.js';
import type { Pipe, Socket } from './socket.js';

/** Frames that each side may get before there is a key: what comes beyond them could be from anybody in between. */
const GREETINGS = { listener: 1, caller: 2 } as const;
/** Close code of the WebSocket when a rule was broken. */
const POLICY_VIOLATION = 1008;
/** The code with which a WebSocket tells that its connection broke. */
const CLOSED_WITHOUT_A_WORD = 1006;
/** A socket's state while nothing can be sent, not even a ping. */
const CONNECTING = 0;
/** How long a message that nobody waits for may wait for another one to leave with. */
const LATER_MS = 25;
/** Bytes that may wait to leave besides payloads: messages, pings and answers to pings. */
const MOST_WORDS_BYTES = 2 ** 20;
/** How long a last message may take to leave. */
const LINGER_MS = 1000;
/** Whoever takes in less than this is given up: then the time of silence is over, and that of the largest payload. */
const SLOWEST_BYTES_PER_MS = 16;

export class Link {
  /** Called once, with why; `isTheirs` when the other end has refused what came from here, in its words. */
  onClose: (reason: LockstepError, isTheirs: boolean) => void = () => {};
  /** Called once, when both sides have proved the secret. */
  onSecure: () => void = () => {};
  /** With what the other end, if it has proved the secret, has ended the run and this link. */
  goodbye: MessageOf<'end'> | undefined;
  /** If it is known, what is sent in one turn leaves in one write. */
  pipe: Pipe | undefined;
  /** The address of this machine that the other end has called, if it is known. */
  localHost: string | undefined;
  #isCorked = false;
  /** What leaves with the next message. */
  #later: Message[] = [];
  #laterTimer: NodeJS.Timeout | undefined;
  /** When the other end was last heard of: by a message, or by bytes of one that is on its way. */
  #heardMs = performance.now();
  /** Bytes that had come at the last heartbeat. */
  #bytesRead = 0;
  /** When a payload has last left, or the first of those on their way was given to the socket. */
  #leftMs = 0;
  #onFrame: ((frame: Frame) => void) | undefined;
  /** What came before anybody took it: the first frame may come with the bytes that open the connection. */
  #early: Frame[] = [];
  #outgoing: FrameSeal | undefined;
  #incoming: FrameSeal | undefined;
  /** Frames that came before there was a key. */
  #greetings = 0;
  #carrier: Carrier | undefined;
  #closed: LockstepError | undefined;
  #inFlight = 0;
  /** Bytes of the payloads that are in flight over the socket. */
  #bytesInFlight = 0;
  #onDrain: (() => void)[] = [];
  readonly #timer: NodeJS.Timeout;
  /** Resolves when nothing comes any more: whether the other end has closed in order, so that it got what was said last. */
  readonly parted: Promise<boolean>;

  constructor(
    private readonly socket: Socket,
    private readonly role: 'listener' | 'caller',
    /** For people. */
    readonly address: string,
    private readonly timings: LinkTimings,
  ) {
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    for (const event of ['ping', 'pong'] as const) socket.on(event, () => this.#hearSign());
    socket.on('error', (error) => this.#end(lost(`${address}: ${error.message}`), false));
    this.parted = new Promise((resolve) => {
      socket.on('close', (code) => {
        this.#end(lost(`${address} closed the connection`), false);
        resolve(code !== CLOSED_WITHOUT_A_WORD);
      });
    });
    this.#timer = setInterval(() => this.#beat(), timings.heartbeatMs);
  }

  /** Takes what arrives; what it throws ends the link. */
  set onFrame(take: (frame: Frame) => void) {
    this.#onFrame = take;
    for (const frame of this.#early.splice(0)) take(frame);
  }

  get isOpen(): boolean {
    return this.#closed === undefined;
  }

  /** Why it is closed; undefined while it is open. */
  get closed(): LockstepError | undefined {
    return this.#closed;
  }

  /** Whether both sides have proved the secret: before that, what came may have been changed on the way. */
  get isSecure(): boolean {
    return this.#incoming !== undefined;
  }

  /** Seals every frame from here on, in both directions, and lets longer ones in. */
  secure(key: Uint8Array): void {
    this.#outgoing = new FrameSeal(key, this.role);
    this.#incoming = new FrameSeal(key, this.role === 'listener' ? 'caller' : 'listener');
    this.onSecure();
  }

  /** Lets the floats of steps go another way, which has no seal: it is taken to be safe. */
  carry(carrier: Carrier): void {
    this.#carrier = carrier;
    carrier.receive((parts) => this.#takeParts(parts, undefined));
  }

  /** Sends a message and its bytes, which may not change until `drain` resolves. */
  send(message: Message, payload: Uint8Array = EMPTY): void {
    if (this.#closed) return;
    this.#cork();
    this.#sendLate();
    if (this.#carrier && isSum(message)) {
      this.#give();
      this.#carrier.send(encodeHeader(message, payload, undefined), payload, () => this.#sent());
      return;
    }
    const header = encodeHeader(message, payload, this.#outgoing);
    if (payload.length === 0) {
      this.socket.send(header, { binary: true, fin: true });
      return;
    }
    this.socket.send(header, { binary: true, fin: false });
    this.#give(payload.length);
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    this.socket.send(bytes, { binary: true, fin: true }, () => this.#sent(payload.length));
  }

  /**
   * Sends a message with the next one, or a little later: each write costs both ends system calls, and a thread that is
   * woken takes its core from one that computes.
   */
  sendLater(message: Message): void {
    if (this.#closed) return;
    this.#later.push(message);
    this.#laterTimer ??= setTimeout(() => this.#sendLate(), LATER_MS);
  }

  #sendLate(): void {
    clearTimeout(this.#laterTimer);
    this.#laterTimer = undefined;
    for (const message of this.#later.splice(0)) this.send(message);
  }

  #cork(): void {
    if (this.#isCorked || !this.pipe) return;
    this.#isCorked = true;
    this.pipe.cork();
    process.nextTick(() => this.flush());
  }

  /** Lets go at once of what was sent in this turn, for who has more to do before its end. */
  flush(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.pipe?.uncork();
  }

  /** Resolves when at most so many payloads are still to leave; at once when the link is closed. */
  async drain(most = 0): Promise<void> {
    while (!this.#closed && this.#inFlight > most) await new Promise<void>((resolve) => this.#onDrain.push(resolve));
  }

  /** Payloads that have not left yet. */
  get inFlight(): number {
    return this.#closed ? 0 : this.#inFlight;
  }

  /** Tells the other end why, and closes. */
  refuse(reason: LockstepError): void {
    if (this.#closed) return;
    this.send({ type: 'refused', code: reason.code, text: reason.text.slice(0, 2000) });
    this.#end(reason, true);
  }

  /** Says goodbye and closes. */
  close(message: Message | undefined, text: string): void {
    if (message) this.send(message);
    this.#end(lost(text), true);
  }

  #receive(data: unknown, isBinary: boolean): void {
    if (this.#closed) return;
    this.#heardMs = performance.now();
    if (!isBinary) {
      // with a key it can only be one of a flipped bit
      const code = this.isSecure ? 'LOCKSTEP_NODE_SEAL' : 'LOCKSTEP_NODE_FRAME';
      this.refuse(new LockstepError(code, 'a text frame came, all of ours are binary.'));
      return;
    }
    this.#takeParts((Array.isArray(data) ? data : [data]) as Buffer[], this.#incoming);
  }

  #takeParts(parts: readonly Buffer[], seal: FrameSeal | undefined): void {
    if (this.#closed) return;
    try {
      const bytes = parts.reduce((sum, part) => sum + part.length, 0);
      if (!this.#incoming && bytes > MAX_GREETING_BYTES && this.role === 'listener') {
        throw new LockstepError(
          'LOCKSTEP_NODE_FRAME',
          `a frame of ${countOf(bytes, 'byte')} came before the handshake was over.`,
        );
      }
      if (!this.#incoming && ++this.#greetings > GREETINGS[this.role]) {
        throw new LockstepError('LOCKSTEP_NODE_ORDER', 'more came than a handshake has, before it was over.');
      }
      const frame = decodeFrame(parts, seal);
      const { message } = frame;
      if (message.type === 'refused') {
        this.#end(new LockstepError(message.code as `LOCKSTEP_${string}`, message.text), true, true);
      } else if (message.type === 'end' && this.role === 'caller' && this.isSecure) {
        this.goodbye = message;
        this.#end(lost(message.text), true, true);
      } else if (this.#onFrame) this.#onFrame(frame);
      else if (this.#early.push(frame) > MAX_EARLY)
        throw new LockstepError('LOCKSTEP_NODE_ORDER', 'it sends more than was asked for.');
    } catch (error) {
      if (error instanceof LockstepError) this.refuse(error);
      else throw error;
    }
  }

  /** A ping or pong has come; the socket answers pings by itself, which costs memory where answers are not taken in. */
  #hearSign(): void {
    this.#heardMs = performance.now();
    if (this.#closed || this.socket.bufferedAmount <= this.#bytesInFlight + MOST_WORDS_BYTES) return;
    const text = `${this.address} takes in nothing, and ${countOf(this.socket.bufferedAmount, 'byte')} wait for it.`;
    this.#end(new LockstepError('LOCKSTEP_NODE_STALLED', text), false);
  }

  /** @param bytes over the socket */
  #give(bytes = 0): void {
    if (this.#inFlight === 0) this.#leftMs = performance.now();
    this.#inFlight += 1;
    this.#bytesInFlight += bytes;
  }

  #sent(bytes = 0): void {
    this.#inFlight -= 1;
    this.#bytesInFlight -= bytes;
    this.#leftMs = performance.now();
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#onDrain.splice(0)) resolve();
  }

  #beat(): void {
    const now = performance.now();
    const bytesRead = this.pipe?.bytesRead ?? 0;
    if (bytesRead !== this.#bytesRead) this.#heardMs = now;
    this.#bytesRead = bytesRead;
    const { silenceMs } = this.timings;
    const silentMs = now - this.#heardMs;
    const stuckMs = this.#inFlight > 0 ? now - this.#leftMs : 0;
    if (silentMs > silenceMs) {
      const text = `nothing was heard from ${this.address} for ${fixed(silentMs / 1000, 1)} s.`;
      this.#end(new LockstepError('LOCKSTEP_NODE_SILENT', text), false);
    } else if (stuckMs > silenceMs + MAX_PAYLOAD_BYTES / SLOWEST_BYTES_PER_MS) {
      const text = `${this.address} has taken in nothing of what was sent to it for ${fixed(stuckMs / 1000, 1)} s.`;
      this.#end(new LockstepError('LOCKSTEP_NODE_STALLED', text), false);
    } else if (this.socket.readyState !== CONNECTING) this.socket.ping();
  }

  #end(reason: LockstepError, isGraceful: boolean, isTheirs = false): void {
    if (this.#closed) return;
    this.#closed = reason;
    clearInterval(this.#timer);
    clearTimeout(this.#laterTimer);
    // nobody waits for what a closed link still has to send, so its bytes may change from here on
    this.flush();
    if (isGraceful) {
      this.socket.close(POLICY_VIOLATION, reason.code);
      setTimeout(() => this.socket.terminate(), LINGER_MS).unref();
    } else this.socket.terminate();
    this.#wake();
    this.onClose(reason, isTheirs);
  }
}

const isSum = ({ type }: Message): boolean => type === 'partial' || type === 'reduced';

const MAX_EARLY = 4;
const EMPTY = new Uint8Array(0);

const lost = (text: string): LockstepError => new LockstepError('LOCKSTEP_NODE_LOST', text);
