/** `--dashboard [PORT]`: where a run's live page is served. */
import { findToken } from './cluster-fields.js';
import { type Endpoint, parsePort } from './endpoint.js';
import type { Check, Field } from './field.js';

export const DASHBOARD_PORT = 7410;

export interface DashboardSettings extends Endpoint {
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
  section: 'Output',
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

/** Where a page is served: for `true` at the usual port. @throws LockstepError LOCKSTEP_CLI_OPTION */
export function parseAddress(value: unknown, flag = '--dashboard'): Endpoint {
  const hint = flag === '--dashboard' ? '. A model stands before it.' : '.';
  return parsePort(value === true ? DASHBOARD_PORT : String(value), flag, DASHBOARD_PORT, hint);
}
