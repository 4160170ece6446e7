/** Fields of what watches a run: files that others read, metrics. */
import type { LogLevel } from '@lockstep/watch/log';
import { type Endpoint, parsePort } from './endpoint.js';
import { type Check, type Field, fieldsIn, isOneOf, isText, optionError } from './field.js';

/** For an example: Prometheus' usual one. */
const METRICS_PORT = 9464;
const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const { text, written } = fieldsIn('Watching');

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
  written('--trace <file>', 'trace', 'write a time line of workers and nodes, for ui.perfetto.dev or chrome://tracing'),
  written('--log-file <file>', 'logFile', 'write a log of JSON lines, by pino'),
  text('--log-level <level>', 'logLevel', `with --log-file: ${logLevels.join(', ')}`, {
    defaultText: 'info',
    check: isOneOf(...logLevels),
  }),
];

export interface WatchSettings {
  readonly out: string | undefined;
  readonly tensorboard: string | undefined;
  readonly metrics: Endpoint | undefined;
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
    metrics: metrics === undefined ? undefined : parsePort(metrics, '--metrics', METRICS_PORT),
    trace: get('trace') as string | undefined,
    logFile,
    logLevel: (get('logLevel') as LogLevel | undefined) ?? 'info',
  };
}
