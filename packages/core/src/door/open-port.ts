/** Opens a port for those who connect; whatever keeps it shut is an error with a code and a way out. */
import type { LockstepError } from '../errors/errors.js';

/** What a server of node:net, node:http or node:https has. */
export interface PortServer {
  once(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  off(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  listen(port: number, host: string, listener: () => void): unknown;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'no machine has that name',
  EAI_AGAIN: 'that name cannot be looked up now',
  EACCES: 'permission denied; ports below 1024 need rights',
};

/** What keeps a port shut, in words. */
export const describePortFailure = ({ code, message }: NodeJS.ErrnoException): string => REASONS[code ?? ''] ?? message;

/**
 * Resolves when the server listens.
 *
 * @param host name or address of this machine
 * @param port 0: any free one
 * @param explain makes the error from `host:port: why`; an IPv6 address stands in brackets
 */
export async function openPort(
  server: PortServer,
  { host, port }: { readonly host: string; readonly port: number },
  explain: (trouble: string) => LockstepError,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void => {
      const shown = host.includes(':') ? `[${host}]` : host;
      reject(Object.assign(explain(`${shown}:${port}: ${describePortFailure(cause)}`), { cause }));
    };
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      resolve();
    });
  });
}
