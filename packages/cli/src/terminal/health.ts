/** Answers probes: whether this process lives, and whether it takes part in a run that goes. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopbackHost, makeServer, openPort, refuseForeignPage } from '@lockstep/core/door';
import { LockstepError } from '@lockstep/core/errors';

/** /healthz: 200 while the process answers at all. /readyz: 200 from `setReady` on, 503 before. */
export class HealthServer {
  #isReady = false;

  private constructor(private readonly server: Server) {}

  /**
   * @param endpoint undefined opens nothing
   * @throws LockstepError LOCKSTEP_HEALTH when the port cannot be had
   */
  static async open(endpoint: { host: string; port: number } | undefined): Promise<HealthServer | undefined> {
    if (endpoint === undefined) return undefined;
    const { server } = makeServer((request, response) => {
      const refusal = refuseForeignPage(request, { isLocal: isLoopbackHost(endpoint.host), ownOrigin: true });
      const [status, text] = refusal === undefined ? health.#answer(request.url ?? '') : [403, refusal];
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${text}\n`);
    });
    const health = new HealthServer(server);
    await openPort(
      server,
      endpoint,
      (trouble) => new LockstepError('LOCKSTEP_HEALTH', `cannot answer probes on ${trouble}. Choose another --health.`),
    );
    server.unref();
    return health;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  setReady(): void {
    this.#isReady = true;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  #answer(url: string): [number, string] {
    if (url === '/healthz') return [200, 'alive'];
    if (url === '/readyz') return this.#isReady ? [200, 'ready'] : [503, 'not yet'];
    return [404, 'there are /healthz and /readyz'];
  }
}
