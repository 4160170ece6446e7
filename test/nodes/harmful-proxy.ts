/** A TCP proxy that does harm on request, and the port of an address. */
import net from 'node:net';

/** Bytes on their way through the proxy; returns what goes on, undefined to cut both sides. */
export type Tamper = (chunk: Buffer, direction: 'up' | 'down', seen: number) => Buffer | undefined;

/** Flips one bit in so many bytes, of both directions and all connections together. */
export function flipEvery(bytes: number): { readonly tamper: Tamper; readonly flips: () => number } {
  let next = bytes;
  let flips = 0;
  const tamper: Tamper = (chunk) => {
    while (next < chunk.length) {
      chunk[next] = (chunk[next] as number) ^ (1 << (flips++ & 7));
      next += bytes;
    }
    next -= chunk.length;
    return chunk;
  };
  return { tamper, flips: () => flips };
}

/** Stands in front of a coordinator or of a node. */
export class HarmfulProxy {
  readonly #server: net.Server;
  readonly #pairs = new Set<[net.Socket, net.Socket]>();
  tamper: Tamper = (chunk) => chunk;
  delayMs = 0;
  /** In each direction of each connection; undefined: as much as there is. */
  bytesPerSecond: number | undefined;
  isDown = false;
  /** Connections that came while it was down. */
  refused = 0;

  /**
   * @param target a port of 127.0.0.1; undefined: the one that the proxy has itself, at its own address
   * @param address where it listens, and from where it seems to come: another than 127.0.0.1 needs Linux
   */
  constructor(
    private readonly target: number | undefined,
    private readonly address = '127.0.0.1',
  ) {
    this.#server = net.createServer({ noDelay: true }, (near) => this.#join(near));
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, this.address, resolve));
    return `ws://${this.address}:${this.#port}`;
  }

  get #port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  #join(near: net.Socket): void {
    if (this.isDown) {
      this.refused += 1;
      near.destroy();
      return;
    }
    const far = net.connect({
      host: '127.0.0.1',
      port: this.target ?? this.#port,
      localAddress: this.address,
      noDelay: true,
    });
    const pair: [net.Socket, net.Socket] = [near, far];
    this.#pairs.add(pair);
    this.#pipe(near, far, 'up', pair);
    this.#pipe(far, near, 'down', pair);
  }

  #pipe(from: net.Socket, to: net.Socket, direction: 'up' | 'down', pair: [net.Socket, net.Socket]): void {
    let seen = 0;
    from.on('data', (chunk) => {
      const passed = this.tamper(Buffer.from(chunk), direction, seen);
      seen += chunk.length;
      if (passed === undefined) {
        // what it has let through comes to its end
        from.pause();
        to.destroySoon();
      } else if (this.delayMs > 0) setTimeout(() => to.write(passed), this.delayMs);
      else to.write(passed);
      if (this.bytesPerSecond !== undefined) {
        from.pause();
        setTimeout(() => from.resume(), (1000 * chunk.length) / this.bytesPerSecond);
      }
    });
    for (const event of ['close', 'error'] as const) from.on(event, () => this.#cut(pair));
  }

  #cut(pair: [net.Socket, net.Socket]): void {
    for (const socket of pair) socket.destroy();
    this.#pairs.delete(pair);
  }

  /** Ends every connection now. */
  cut(): void {
    for (const pair of [...this.#pairs]) this.#cut(pair);
  }

  close(): void {
    this.isDown = true;
    this.cut();
    this.#server.close();
  }
}

export const portOf = (url: string): number => Number(new URL(url).port);
