/** `--dashboard [PORT]`: where a run's live page is served. */
import { findToken, parseEndpoint } from './cluster-fields.js';
import { type Check, type Field, optionError } from './fields.js';

const HOST = '127.0.0.1';
export const DASHBOARD_PORT = 7410;

export interface DashboardSettings {
  readonly host: string;
  readonly port: number;
  /** Asked of whoever opens the page. */
  readonly token: Uint8Array | undefined;
}

const isAddress: Check = (value) =>
  value === true || typeof value === 'number' || (typeof value === 'string' && value !== '')
    ? undefined
    : 'must be a port or host:port, such as 7410 or 0.0.0.0:7410';

export const dashboardField: Field = {
  flags: '--dashboard [port]',
  path: ['dashboard'],
  group: 'Output',
  kind: 'text',
  description: 'show the run on a live page; host:port for other machines too, with --token-file',
  alone: String(DASHBOARD_PORT),
  defaultText: `without a port: ${DASHBOARD_PORT}`,
  check: isAddress,
};

/** Where to serve the page; undefined for none. @throws LockstepError LOCKSTEP_CLI_OPTION, LOCKSTEP_TOKEN */
export function resolveDashboard(get: (name: string) => unknown): DashboardSettings | undefined {
  const value = get('dashboard');
  if (value === undefined) return undefined;
  return { ...parseAddress(value), token: findToken(get('tokenFile') as string | undefined, {}) };
}

/** A port of this machine, or host:port. */
export function parseAddress(value: unknown, flag = '--dashboard'): { readonly host: string; readonly port: number } {
  if (value === true) return { host: HOST, port: DASHBOARD_PORT };
  const text = String(value);
  if (text.includes(':')) return parseEndpoint(text, flag);
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw optionError(
      `${flag} ${JSON.stringify(text)}: must be a port or host:port, such as ${DASHBOARD_PORT} or 0.0.0.0:${DASHBOARD_PORT}.${flag === '--dashboard' ? ' A model stands before it.' : ''}`,
    );
  }
  return { host: HOST, port };
}
