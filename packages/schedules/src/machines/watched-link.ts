/** An honest node's end of a link, of which it is seen what is said over it. */
import { Link, type Message } from '@lockstep/core/wire';

export class WatchedLink extends Link {
  /** @param onApplied is told of each step that the node says it has applied */
  constructor(
    private readonly onApplied: (step: number) => void,
    ...args: ConstructorParameters<typeof Link>
  ) {
    super(...args);
  }

  override send(message: Message, payload?: Uint8Array): void {
    if (message.type === 'applied') this.onApplied(message.step);
    super.send(message, payload);
  }
}
