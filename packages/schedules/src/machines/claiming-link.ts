/** The links of a node that holds the token and calls other nodes as one that it is not; those of who is called so. */
import { createProof, type Frame, Link, type Message } from '@lockstep/core/wire';
import { TOKEN } from './coordinator.js';

export class ClaimingLink extends Link {
  #challenge: Frame | undefined;

  /** @param claimed the node that it says to be */
  constructor(
    private readonly claimed: number,
    private readonly onClaim: () => void,
    ...args: ConstructorParameters<typeof Link>
  ) {
    super(...args);
  }

  override set onFrame(take: (frame: Frame) => void) {
    super.onFrame = (frame) => {
      if (frame.message.type === 'challenge') this.#challenge = frame;
      take(frame);
    };
  }

  override send(message: Message, payload?: Uint8Array): void {
    if (message.type !== 'peer' || message.called === this.claimed || !this.#challenge) {
      super.send(message, payload);
      return;
    }
    this.onClaim();
    const { proof: _, ...hello } = { ...message, node: this.claimed };
    super.send({ ...hello, proof: createProof(TOKEN, 'caller', [this.#challenge, { message: hello }]) });
  }
}

/** Tells as which node the other end of a link, which that has opened, is taken. */
export class CalledLink extends Link {
  #caller = 0;

  constructor(
    private readonly onTaken: (caller: number, address: string) => void,
    ...args: ConstructorParameters<typeof Link>
  ) {
    super(...args);
  }

  override set onFrame(take: (frame: Frame) => void) {
    super.onFrame = (frame) => {
      if (frame.message.type === 'peer') this.#caller = frame.message.node;
      take(frame);
    };
  }

  override secure(key: Uint8Array): void {
    this.onTaken(this.#caller, this.address);
    super.secure(key);
  }
}
