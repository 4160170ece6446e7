import { expect, it } from 'vitest';
import { RecordingIo } from '../testing/recording-io.js';
import { cleanUpAtExit, measureEach } from './measure-each.js';

it('measures everything in order, and ends with 0', async () => {
  const io = new RecordingIo();
  const measured: number[] = [];
  const code = await measureEach([1, 2, 3], 'models are measured', async (model) => void measured.push(model), io);
  expect([code, measured, io.stderr.text, io.interrupt()]).toEqual([0, [1, 2, 3], '', 0]);
});

it('cases: work 25: keeps what was measured when Ctrl-C comes, says how much, and ends with 130', async () => {
  const io = new RecordingIo();
  const measured: number[] = [];
  const measure = async (model: number): Promise<void> => {
    if (model === 3) {
      io.interrupt();
      // what is under way goes on, and fails when its processes are gone
      await Promise.resolve();
      throw new Error('the process that trains model 3 is gone');
    }
    measured.push(model);
  };
  expect(await measureEach([1, 2, 3, 4], 'models are measured', measure, io)).toBe(130);
  expect([measured, io.stderr.text]).toEqual([[1, 2], 'Interrupted: 2 of 4 models are measured.\n']);
});

it('hears a signal between measurements that never leave the main thread', async () => {
  const io = new RecordingIo();
  const measured: number[] = [];
  const measure = (model: number): void => {
    measured.push(model);
    if (model === 2) setImmediate(() => io.interrupt('SIGTERM'));
  };
  expect(await measureEach([1, 2, 3, 4], 'models are measured', measure, io)).toBe(143);
  expect(measured).not.toContain(4);
});

it('fails where a measurement does', async () => {
  const io = new RecordingIo();
  const failure = measureEach([1], 'models are measured', () => Promise.reject(new Error('no memory')), io);
  await expect(failure).rejects.toThrow('no memory');
  expect(io.interrupt()).toBe(0);
});

it('cleans up once: when told to, or when the process exits', () => {
  let cleaned = 0;
  const before = process.listenerCount('exit');
  const cleanUp = cleanUpAtExit(() => cleaned++);
  const atExit = process.listeners('exit').at(-1) as () => void;
  atExit();
  expect([cleaned, process.listenerCount('exit')]).toEqual([1, before]);
  cleanUpAtExit(() => cleaned++)();
  expect([cleaned, process.listenerCount('exit'), typeof cleanUp]).toEqual([2, before, 'function']);
});
