/** An end of a connection that sends whatever it is given, sealed as the protocol wants it. */
import { encodeHeader, FrameSeal, Link, type Message } from '@lockstep/core/wire';
import type { Spoken } from './damaged-frame.js';

const SEAL_BYTES = 16;

export class ForgedLink extends Link {
  readonly #socket: ConstructorParameters<typeof Link>[0];
  readonly #role: ConstructorParameters<typeof Link>[1];
  #seal: FrameSeal | undefined;

  constructor(...args: ConstructorParameters<typeof Link>) {
    super(...args);
    [this.#socket, this.#role] = args;
  }

  override secure(key: Uint8Array): void {
    super.secure(key);
    this.#seal = new FrameSeal(key, this.#role);
  }

  /** A whole frame, not sealed yet. */
  static encode({ message, payload }: Spoken): Buffer {
    return Buffer.concat([encodeHeader(message, payload, undefined), payload]);
  }

  override send(message: Message, payload: Uint8Array = new Uint8Array(0)): void {
    this.forge(ForgedLink.encode({ message, payload }));
  }

  /** Whether it left. @param frame seal included, which is written here where there is a key */
  forge(frame: Buffer): boolean {
    if (!this.isOpen || this.#socket.readyState !== 1) return false;
    if (this.#seal && frame.length >= SEAL_BYTES) this.#seal.next(frame.subarray(SEAL_BYTES)).copy(frame);
    this.#socket.send(frame, { binary: true, fin: true });
    return true;
  }
}
