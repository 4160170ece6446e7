import { afterEach, expect, it, vi } from 'vitest';
import { main } from './main.js';

afterEach(() => void vi.restoreAllMocks());

it.each([
  ['--processes', '0'],
  ['--seeds', '9..1'],
  ['--topology', 'ring'],
  ['--speed', '1'],
])('%s %s is refused, with what would be taken', async (...args) => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  expect(await main(args)).toBe(2);
  expect(said.mock.calls.join()).toContain(args[0]);
  expect(said.mock.calls.join()).toContain('npm run schedules -- [--seeds 1..1000]');
});
