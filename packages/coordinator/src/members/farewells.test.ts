import { afterEach, expect, it, vi } from 'vitest';
import { Farewells } from './farewells.js';

afterEach(() => void vi.useRealTimers());

it('waits: ending: a node that stays in its handshake is not waited for beyond a minute', async () => {
  vi.useFakeTimers();
  const farewells = new Farewells();
  farewells.arrive('10.0.0.7 lab');
  let isOver = false;
  const settling = farewells.settle({ expected: 2, awayMs: 10_000 }).then(() => (isOver = true));
  await vi.advanceTimersByTimeAsync(59_000);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1001);
  expect(await settling).toBe(true);
});
