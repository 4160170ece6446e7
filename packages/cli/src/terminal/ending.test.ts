import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RecordingIo } from '../testing/recording-io.js';
import { ECHO_MS, type EndingHandlers, endBeforeRun, isPreempted, watchEnding } from './ending.js';
import type { InterruptSignal, OutputName } from './io.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** As long as it takes until the first signal is answered. */
const pass = (): void => void vi.advanceTimersByTime(ECHO_MS);

function watch(more: Partial<EndingHandlers> = {}) {
  const io = new RecordingIo();
  const said: string[] = [];
  const ending = watchEnding(io, {
    onFirst: () => said.push('first'),
    beforeExit: () => said.push(`last words before exit ${io.exitCodes.length}`),
    ...more,
  });
  return { io, said, ending };
}

it('asks for the end at the first Ctrl-C, and does not exit', () => {
  const { io, said, ending } = watch();
  expect([ending.signal.aborted, ending.exitCode]).toEqual([false, 0]);
  io.interrupt();
  expect(ending.signal.aborted).toBe(true);
  pass();
  expect(said).toEqual(['first']);
  expect(io.exitCodes).toEqual([]);
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGUSR1', 138],
  ['SIGUSR2', 140],
  ['SIGXCPU', 152],
] as const)('has an exit code for what %s has cut short: %i', (signal, code) => {
  const { io, ending } = watch();
  io.interrupt(signal);
  io.interrupt('SIGINT');
  expect(ending.exitCode).toBe(code);
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('exits at the second signal, for %s with %i, after the last words', (signal, code) => {
  const { io, said } = watch();
  io.interrupt();
  pass();
  io.interrupt(signal);
  expect(said).toEqual(['first', 'last words before exit 0']);
  expect(io.exitCodes).toEqual([code]);
});

it.each<[InterruptSignal, number, number]>([
  ['SIGINT', 130, 130],
  ['SIGTERM', 143, 75],
  ['SIGUSR1', 138, 75],
  ['SIGUSR2', 140, 75],
])(
  'before a run has begun %s ends the process at once, with the exit code of a run: %i, %i with --preemptible',
  (signal, code, preempted) => {
    const io = new RecordingIo();
    endBeforeRun(io);
    io.interrupt(signal);
    expect([io.exitCodes, io.stderr.text]).toEqual([[code], `Ended by ${signal} before the run began.\n`]);
    const other = new RecordingIo();
    const leaveSignals = endBeforeRun(other, true);
    other.interrupt(signal);
    leaveSignals();
    expect([other.exitCodes, other.interrupt(signal)]).toEqual([[preempted], 0]);
  },
);

it('takes the signal that npm hands on beside that of the terminal for one', () => {
  const { io, said, ending } = watch();
  io.interrupt();
  io.interrupt();
  pass();
  expect([io.exitCodes, said, ending.exitCode]).toEqual([[], ['first'], 130]);
  io.interrupt();
  expect(io.exitCodes).toEqual([130]);
});

it.each(['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGXCPU'] as const)(
  'does not end at once however often it hears %s: that the terminal is gone, that its time is up',
  (signal) => {
    const { io } = watch();
    io.interrupt(signal);
    pass();
    io.interrupt(signal);
    expect(io.exitCodes).toEqual([]);
  },
);

it('leaves signals to the process when it is stopped, and says nothing of an end that has come', () => {
  const { io, said, ending } = watch();
  io.interrupt();
  ending.stop();
  pass();
  expect([io.interrupt(), said]).toEqual([0, []]);
});

it('knows a launcher from a person by the first signal', () => {
  const { io, ending } = watch({ isPreemptible: true });
  expect(isPreempted(ending.signal)).toBe(false);
  io.interrupt('SIGUSR1');
  io.interrupt('SIGINT');
  expect([isPreempted(ending.signal), ending.exitCode]).toEqual([true, 75]);
  const person = watch({ isPreemptible: true });
  person.io.interrupt('SIGINT');
  expect([isPreempted(person.ending.signal), person.ending.exitCode]).toEqual([false, 130]);
});

it('goes on finishing when a launcher repeats itself, and exits for a person', () => {
  const { io } = watch({ isPreemptible: true });
  io.interrupt('SIGUSR1');
  pass();
  for (const signal of ['SIGTERM', 'SIGTERM', 'SIGHUP'] as const) io.interrupt(signal);
  expect(io.exitCodes).toEqual([]);
  io.interrupt('SIGINT');
  expect(io.exitCodes).toEqual([130]);
});

it('hands a warning on without an interrupt', () => {
  let warnings = 0;
  const { io, ending } = watch({ onWarning: () => warnings++ });
  io.interrupt('SIGUSR1');
  expect([warnings, ending.signal.aborted]).toEqual([1, false]);
  io.interrupt('SIGTERM');
  expect(ending.signal.aborted).toBe(true);
});

it('goes on when stdout is lost and says so on stderr, but puts nothing of the kind among what a program reads', () => {
  const { io, ending } = watch();
  io.loseOutput('stdout');
  io.loseOutput('stderr', 'ENOSPC: no space left on device, write');
  expect(io.stderr.text).toBe(
    'warning: nothing more can be written to stdout (EPIPE: its reader has gone); it goes on without.\n',
  );
  expect([io.stdout.text, io.exitCodes, ending.signal.aborted]).toEqual(['', [], false]);
});

it('hands a lost stream on to whoever can tell of it', () => {
  const lost: [OutputName, string][] = [];
  const { io } = watch({ onOutputLost: (...what) => lost.push(what) });
  io.loseOutput('stderr', 'ENOSPC');
  expect([io.stderr.text, lost]).toEqual([
    '',
    [['stderr', 'nothing more can be written to stderr (ENOSPC); it goes on without.']],
  ]);
});
