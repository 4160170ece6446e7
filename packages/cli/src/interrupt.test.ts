import { expect, it } from 'vitest';
import { type InterruptHandlers, isPreempted, watchInterrupts } from './interrupt.js';
import { RecordingIo } from './testing/recording-io.js';

function watch(more: Partial<InterruptHandlers> = {}) {
  const io = new RecordingIo();
  const said: string[] = [];
  const interrupts = watchInterrupts(io, {
    onFirst: () => said.push('first'),
    beforeExit: () => said.push(`tidy before exit ${io.exitCodes.length}`),
    ...more,
  });
  return { io, said, interrupts };
}

it('asks the run to end at the first Ctrl-C and does not exit', () => {
  const { io, said, interrupts } = watch();
  expect(interrupts.signal.aborted).toBe(false);
  io.interrupt();
  expect(interrupts.signal.aborted).toBe(true);
  expect(said).toEqual(['first']);
  expect(io.exitCodes).toEqual([]);
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGUSR1', 138],
] as const)('exits at the second signal, for %s with %i, after tidying up', (signal, code) => {
  const { io, said } = watch();
  io.interrupt();
  io.interrupt(signal);
  expect(said).toEqual(['first', 'tidy before exit 0']);
  expect(io.exitCodes).toEqual([code]);
});

it('leaves signals to the process when it is stopped', () => {
  const { io, interrupts } = watch();
  interrupts.stop();
  expect(io.interrupt()).toBe(0);
  expect(interrupts.signal.aborted).toBe(false);
});

it('knows a launcher from a person by the first signal', () => {
  const { io, interrupts } = watch();
  expect(isPreempted(interrupts.signal)).toBe(false);
  io.interrupt('SIGUSR1');
  io.interrupt('SIGINT');
  expect(isPreempted(interrupts.signal)).toBe(true);
  const person = watch();
  person.io.interrupt('SIGINT');
  expect(isPreempted(person.interrupts.signal)).toBe(false);
});

it('goes on finishing when a launcher repeats itself, and exits for a person', () => {
  const { io } = watch({ isPreemptible: true });
  for (const signal of ['SIGUSR1', 'SIGTERM', 'SIGTERM'] as const) io.interrupt(signal);
  expect(io.exitCodes).toEqual([]);
  io.interrupt('SIGINT');
  expect(io.exitCodes).toEqual([130]);
});

it('hands a warning on without an interrupt', () => {
  let warnings = 0;
  const { io, interrupts } = watch({ onWarning: () => warnings++ });
  io.interrupt('SIGUSR1');
  expect([warnings, interrupts.signal.aborted]).toEqual([1, false]);
  io.interrupt('SIGTERM');
  expect(interrupts.signal.aborted).toBe(true);
});
