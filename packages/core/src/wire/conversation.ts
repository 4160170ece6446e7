/** A handshake as a sequence: what one end waits for, one message after the other, each with a limit of time. */
import { LockstepError } from '../errors/errors.js';
import type { Frame } from './frames.js';
import type { Link } from './link.js';
import type { MessageOf, MessageType } from './messages.js';

/** Frames that may wait to be read: a node has no reason to be far ahead. */
const MAX_WAITING = 4;

export interface Said<T extends MessageType> {
  readonly message: MessageOf<T>;
  readonly payload: Uint8Array;
}

/** Takes over a link's frames until `end`. */
export class Conversation {
  readonly #waiting: Frame[] = [];
  #resolve: ((frame: Frame) => void) | undefined;
  #reject: ((error: LockstepError) => void) | undefined;
  #closed: LockstepError | undefined;

  constructor(
    private readonly link: Link,
    private readonly maxWaiting: number = MAX_WAITING,
  ) {
    // it may have been refused before anybody listened
    this.#closed = link.closed;
    link.onFrame = (frame) => this.#take(frame);
    link.onClose = (reason) => {
      this.#closed = reason;
      this.#reject?.(reason);
    };
  }

  /**
   * The next message, which must be of this type.
   *
   * @throws LockstepError what the other end gave as reason to refuse; LOCKSTEP_NODE_SILENT when nothing comes in time;
   *   LOCKSTEP_NODE_ORDER when something else comes; LOCKSTEP_NODE_LOST when the connection ends
   */
  next<T extends MessageType>(type: T, timeoutMs: number): Promise<Said<T>> {
    return this.nextOf([type], timeoutMs);
  }

  /** The same, of one of these types. */
  async nextOf<T extends MessageType>(types: readonly T[], timeoutMs: number): Promise<Said<T>> {
    const wanted = types.join(' or ');
    const { message, payload } = this.#waiting.shift() ?? (await this.#await(wanted, timeoutMs));
    if (!types.some((type) => message.type === type)) {
      throw new LockstepError(
        'LOCKSTEP_NODE_ORDER',
        `${this.link.address} said ${message.type} where ${wanted} was expected.`,
      );
    }
    return { message: message as MessageOf<T>, payload };
  }

  async #await(wanted: string, timeoutMs: number): Promise<Frame> {
    if (this.#closed) throw this.#closed;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Frame>((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
        const text = `${this.link.address} did not say ${wanted} within ${timeoutMs / 1000} s.`;
        timer = setTimeout(() => reject(new LockstepError('LOCKSTEP_NODE_SILENT', text)), timeoutMs);
      });
    } finally {
      clearTimeout(timer);
      this.#resolve = undefined;
      this.#reject = undefined;
    }
  }

  #take(frame: Frame): void {
    if (this.#resolve) {
      const resolve = this.#resolve;
      this.#resolve = undefined;
      resolve(frame);
    } else if (this.#waiting.length >= this.maxWaiting) {
      throw new LockstepError('LOCKSTEP_NODE_ORDER', `${this.link.address} sends more than was asked for.`);
    } else this.#waiting.push(frame);
  }
}
