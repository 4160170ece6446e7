/** `--metrics` without a page: a port that answers /metrics and nothing else. */
import type { AddressInfo } from 'node:net';
import { isLoopbackHost, makeServer, openPort, refuseForeignPage } from '@lockstep/core/door';
import { LockstepError } from '@lockstep/core/errors';
import type { RunObserver } from '@lockstep/core/seams';
import type { RunMetrics } from './run-metrics.js';

/**
 * Opens the port; closes it at the end of the run.
 *
 * @param tell takes where it is
 * @throws LockstepError LOCKSTEP_METRICS_PORT
 */
export async function openMetricsServer(
  metrics: RunMetrics,
  { host, port }: { readonly host: string; readonly port: number },
  tell: (line: string) => void,
): Promise<RunObserver> {
  const isLocal = isLoopbackHost(host);
  const { server } = makeServer((request, response) => {
    const refusal = refuseForeignPage(request, { isLocal, ownOrigin: true });
    if (refusal !== undefined) response.writeHead(403, { 'content-type': 'text/plain' }).end(`${refusal}\n`);
    else if (!metrics.answer(request, response))
      response.writeHead(404, { 'content-type': 'text/plain' }).end('metrics are at /metrics\n');
  });
  await openPort(server, { host, port }, (trouble) => {
    const text = `cannot answer --metrics on ${trouble}. Choose another port; 0 takes any free one.`;
    return new LockstepError('LOCKSTEP_METRICS_PORT', text);
  });
  server.unref();
  const address = server.address() as AddressInfo;
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  tell(`Metrics: http://${shown}:${address.port}/metrics`);
  return {
    name: `--metrics ${host}:${port}`,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
