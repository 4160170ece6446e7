/** Where something listens, as text: `host:port`, or a port of this machine. */
import { isIP } from 'node:net';
import { optionError } from './field.js';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = '127.0.0.1';
const MOST_PORT = 65_535;

/**
 * Reads `0.0.0.0:7400`, `[::1]:7400` or `:7400`, which is this machine alone.
 *
 * @param flag named when the text is none of these
 * @throws LockstepError LOCKSTEP_CLI_OPTION
 */
export function parseEndpoint(text: string, flag: string): Endpoint {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2] ?? '';
  if (!match || port > MOST_PORT || (match[1] !== undefined && isIP(host) !== 6)) {
    throw optionError(`${flag} ${JSON.stringify(text)}: must be host:port, such as 0.0.0.0:7400`);
  }
  return { host: host === '' ? LOOPBACK : host, port };
}

/**
 * Reads a port, which is this machine's alone, or an endpoint.
 *
 * @param usual a port for the example in the error
 * @param hint what else the error says, with a blank before it
 * @throws LockstepError LOCKSTEP_CLI_OPTION
 */
export function parsePort(value: string | number, flag: string, usual: number, hint = ''): Endpoint {
  const text = String(value);
  if (text.includes(':')) return parseEndpoint(text, flag);
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > MOST_PORT) {
    const examples = `such as ${usual} or 0.0.0.0:${usual}`;
    throw optionError(`${flag} ${JSON.stringify(text)}: must be a port or host:port, ${examples}${hint}`);
  }
  return { host: LOOPBACK, port };
}
