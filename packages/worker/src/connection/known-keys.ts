/** The keys of a run's other nodes, as the coordinator tells them: maybe a moment after one of them has called. */
import { LockstepError } from '@lockstep/core/errors';
import type { PeerCard } from '@lockstep/core/wire';

export class KnownKeys {
  #keys: ReadonlyMap<number, string> = new Map();
  readonly #waiting = new Set<() => void>();

  /** Those of all other nodes that are in the run now. */
  set(peers: readonly PeerCard[]): void {
    this.#keys = new Map(peers.map(({ node, key }) => [node, key]));
    for (const look of this.#waiting) look();
  }

  has(node: number): boolean {
    return this.#keys.has(node);
  }

  clear(): void {
    this.set([]);
  }

  /**
   * The key of a node; waits for it.
   *
   * @throws LockstepError LOCKSTEP_NODE_IDENTITY when the coordinator has not told of that node in time
   */
  async next(node: number, timeoutMs: number): Promise<string> {
    let look = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        look = () => {
          const key = this.#keys.get(node);
          if (key !== undefined) resolve(key);
        };
        this.#waiting.add(look);
        const text = `the coordinator has told of no node ${node} within ${timeoutMs / 1000} s.`;
        timer = setTimeout(() => reject(new LockstepError('LOCKSTEP_NODE_IDENTITY', text)), timeoutMs);
        look();
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }
}
