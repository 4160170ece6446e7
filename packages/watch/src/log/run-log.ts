/** The log of `--log-file`: JSON lines in pino's form, one per event, for tools that gather logs. */
import { LockstepError } from '@lockstep/core/errors';
import type { RunEvent } from '@lockstep/core/events';
import type { RunObserver } from '@lockstep/core/seams';
import { pino } from 'pino';
import { committedSteps } from '../files/earlier-lines.js';
import { FileSink } from '../files/file-sink.js';

/**
 * @param resumedStep where the run goes on: its lines follow those that are there up to this step
 * @param tell takes a line about those after it
 * @throws LockstepError LOCKSTEP_SAVE_PATH
 */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export async function openRunLog(
  path: string,
  level: LogLevel,
  resumedStep: number | undefined,
  tell: (line: string) => void,
): Promise<RunObserver> {
  const sink = await FileSink.open(path, '--log-file', { resumedStep, tell });
  // no transport: its worker thread would take a core from the run
  const logger = pino({ level }, { write: (line: string) => void sink.write(line) });
  return {
    name: `--log-file ${path}`,
    onEvent: (event) => {
      if (event.event === 'progress' && committedSteps({ ...event }, event.stepsPerEpoch) === resumedStep) return;
      logger[levelOf(event)](event, describe(event));
    },
    onFailed: (error) => {
      const code = error instanceof LockstepError ? error.code : undefined;
      logger.error({ event: 'failed', code, err: error }, 'the run failed');
    },
    close: () => sink.close(),
  };
}

const WARNINGS: ReadonlySet<string> = new Set([
  'warning',
  'node-evicted',
  'node-doubted',
  'node-refused',
  'node-pardoned',
  'went-back',
  'steps-doubted',
]);

function levelOf({ event }: RunEvent): LogLevel {
  if (event === 'progress') return 'debug';
  return WARNINGS.has(event) ? 'warn' : 'info';
}

function describe(event: RunEvent): string {
  switch (event.event) {
    case 'start':
      return `run of ${event.model} begins`;
    case 'data':
      return `data: ${event.source}`;
    case 'progress':
      return `epoch ${event.epoch}, step ${event.step} of ${event.stepsPerEpoch}`;
    case 'epoch':
      return `epoch ${event.epoch}: test ${event.testCorrect}/${event.testTotal}`;
    case 'checkpoint':
      return `checkpoint of step ${event.step}`;
    case 'warning':
      return event.message;
    case 'end':
      return `run ends after step ${event.steps}: ${event.reason}`;
    default:
      return event.event;
  }
}
