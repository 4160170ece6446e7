import { expect, it } from 'vitest';
import { watchInterrupts } from './interrupt.js';
import { RecordingIo } from './testing/recording-io.js';

function watch() {
  const io = new RecordingIo();
  const said: string[] = [];
  const interrupts = watchInterrupts(
    io,
    () => said.push('first'),
    () => said.push(`tidy before exit ${io.exitCodes.length}`),
  );
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
