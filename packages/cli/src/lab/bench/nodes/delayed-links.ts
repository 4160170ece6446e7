/**
 * Long cables on this machine, which hold each byte for so long. A process of its own relays:
 *
 *   node i --127.0.0.1:urlPort--> [relay] --from 127.0.77.i--> coordinator
 *   others --127.0.77.i:meshPort--> [relay] --> node i at 127.0.0.1:meshPort
 *
 * The coordinator takes 127.0.77.i for the node's address, and tells the others. Needs Linux, where all of 127.0.0.0/8 is
 * this machine. Kernels can do it themselves (netem), but few are built for it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What the process (relay-process.ts) is told. */
export interface RelayTask {
  readonly coordinatorPort: number;
  /** That connect to the coordinator. */
  readonly nodes: number;
  /** One way. */
  readonly delayMs: number;
}

/** Of a node, on 127.0.0.1: where it finds the coordinator, and where it is to listen for others. */
export interface RelayPorts {
  readonly urlPort: number;
  readonly meshPort: number;
}

export const addressOf = (node: number): string => `127.0.77.${node}`;

export class DelayedLinks {
  private constructor(
    private readonly relay: ChildProcess,
    private readonly ports: readonly RelayPorts[],
  ) {}

  /** Undefined where this is not possible. */
  static async open(task: RelayTask): Promise<DelayedLinks | undefined> {
    const relay = fork(fileURLToPath(new URL('./relay-process.js', import.meta.url)), {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const isGone = once(relay, 'exit').then(() => undefined);
    relay.send(task);
    const ports = await Promise.race([once(relay, 'message').then(([said]) => said as RelayPorts[]), isGone]);
    return ports && new DelayedLinks(relay, ports);
  }

  /** @param node from 1 */
  portsOf(node: number): RelayPorts {
    return this.ports[node - 1] as RelayPorts;
  }

  close(): void {
    this.relay.kill('SIGKILL');
  }
}
