/** Fields of what watches a run: files that others read, metrics. */
import type { LogLevel } from '@lockstep/watch/log';
import { parseEndpoint } from './cluster-fields.js';
import { type Check, type Field, isOneOf, isText, optionError } from './fields.js';

const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const text = (flags: string, path: string, description: string, more: Partial<Field> = {}): Field => ({
  flags,
  path: [path],
  group: 'Watching',
  kind: 'text',
  description,
  check: isText,
  ...more,
});

/** A config file may have a number. */
const isPortText: Check = (value) => (typeof value === 'number' ? undefined : isText(value));

export const watchFields: readonly Field[] = [
  text('--out <dir>', 'out', 'the folder of the run: weights, run.json, events.jsonl, history.csv, report.html', {
    defaultText: 'runs/<model>-seed<seed>, with -2, -3 ... where that is taken',
  }),
  text('--tensorboard <dir>', 'tensorboard', 'write event files for TensorBoard into this folder'),
  text('--metrics <port>', 'metrics', 'serve Prometheus metrics at /metrics of this port, or host:port', {
    check: isPortText,
  }),
  text('--trace <file>', 'trace', 'write a time line of workers and nodes, for ui.perfetto.dev or chrome://tracing'),
  text('--log-file <file>', 'logFile', 'write a log of JSON lines, by pino'),
  text('--log-level <level>', 'logLevel', `with --log-file: ${logLevels.join(', ')}`, {
    defaultText: 'info',
    check: isOneOf(...logLevels),
  }),
];

export interface WatchSettings {
  readonly out: string | undefined;
  readonly tensorboard: string | undefined;
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly trace: string | undefined;
  readonly logFile: string | undefined;
  readonly logLevel: LogLevel;
}

/** @throws LockstepError LOCKSTEP_CLI_OPTION */
export function resolveWatch(get: (name: string) => unknown): WatchSettings {
  const metrics = get('metrics') as string | number | undefined;
  const logFile = get('logFile') as string | undefined;
  if (get('logLevel') !== undefined && logFile === undefined) {
    throw optionError('--log-level needs --log-file as well');
  }
  return {
    out: get('out') as string | undefined,
    tensorboard: get('tensorboard') as string | undefined,
    metrics: metrics === undefined ? undefined : parsePort(metrics),
    trace: get('trace') as string | undefined,
    logFile,
    logLevel: (get('logLevel') as LogLevel | undefined) ?? 'info',
  };
}

const LOOPBACK = '127.0.0.1';

/** `9464` (for this machine alone), `0.0.0.0:9464` or `[::]:9464`. */
function parsePort(value: string | number): { readonly host: string; readonly port: number } {
  const text = String(value);
  if (text.includes(':')) return parseEndpoint(text, '--metrics');
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw optionError(`--metrics ${JSON.stringify(text)}: must be a port or host:port, such as 9464 or 0.0.0.0:9464`);
  }
  return { host: LOOPBACK, port };
}
