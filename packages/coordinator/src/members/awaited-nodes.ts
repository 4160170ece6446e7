/** Waits for nodes to come, and says so: a run that has nobody to compute never ends by itself. */
import type { NodeEvent } from '@lockstep/core/events';
import type { Membership } from './membership.js';

/** LOCKSTEP_HOLD=step:nodes, for tests: before this step, wait until so many nodes are there. */
const [HOLD_STEP, HOLD_NODES = 0] = (process.env['LOCKSTEP_HOLD'] ?? '')
  .split(':')
  .map((text) => Number.parseInt(text, 10));

export class AwaitedNodes {
  #wake: () => void = () => {};

  constructor(
    private readonly membership: Pick<Membership, 'readyCount'> & { readonly nodes: { readonly size: number } },
    private readonly emit: (event: NodeEvent) => void,
    private readonly isStopping: () => boolean,
  ) {}

  /** Resolves when so many nodes are there, or the run is stopped. */
  async await(needed: number, reason: string): Promise<void> {
    let told = -1;
    for (;;) {
      const nodes = this.membership.nodes.size + this.membership.readyCount;
      if (nodes >= needed || this.isStopping()) return;
      if (nodes !== told) this.emit({ event: 'waiting', nodes, needed, reason });
      told = nodes;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Before a step: nothing, unless a test holds the run there. */
  async hold(step: number): Promise<void> {
    if (step === HOLD_STEP) await this.await(HOLD_NODES, 'a test holds the run');
  }

  /** A node has come, or the run is stopped. */
  wake(): void {
    this.#wake();
  }
}
