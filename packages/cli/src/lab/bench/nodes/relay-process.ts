/** The process of `DelayedLinks`: passes on what comes, later. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { addressOf, type RelayPorts, type RelayTask } from './delayed-links.js';

const HOST = '127.0.0.1';
const FREE = 0;

process.once('message', ({ coordinatorPort, nodes, delayMs }: RelayTask) => {
  const openNode = async (node: number): Promise<RelayPorts> => {
    const address = addressOf(node);
    const urlPort = await openRelay(HOST, () => connectFrom(address, coordinatorPort), delayMs);
    // the node takes the same port at HOST, where others may have those that are free at its address
    const meshPort = await openRelay(address, (port) => connectFrom(HOST, port), delayMs, await findFreePort());
    return { urlPort, meshPort };
  };
  const opened = Promise.all(Array.from({ length: nodes }, (_, index) => openNode(index + 1)));
  opened.then(
    (ports) => process.send?.(ports),
    () => process.exit(1),
  );
});
process.once('disconnect', () => process.exit());

const connectFrom = (localAddress: string, port: number): Socket =>
  connect({ host: HOST, port, localAddress, noDelay: true });

/** @returns its port */
async function openRelay(
  host: string,
  connectOn: (port: number) => Socket,
  delayMs: number,
  at = FREE,
): Promise<number> {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connectOn(port);
    pass(near, far, delayMs);
    pass(far, near, delayMs);
  });
  const port = await listen(server, at, host);
  return port;
}

/** Of HOST. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, FREE, HOST);
  server.close();
  await once(server, 'close');
  return port;
}

async function listen(server: Server, at: number, host: string): Promise<number> {
  server.listen(at, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Timers of one length go off in the order in which they were set. */
function pass(from: Socket, to: Socket, delayMs: number): void {
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), delayMs));
  from.on('error', () => {});
  from.on('close', () => setTimeout(() => to.destroy(), delayMs));
}
