import { expect, it } from 'vitest';
import { describeForecast } from './test-forecast.mjs';

it('a set-up checkout is told how long it takes, and where the long tests are', () => {
  expect(describeForecast('quick', [])).toEqual([
    'test: about 5 minutes on two cores, less where Nx knows packages as tested; the long tests are npm run test:slow',
  ]);
  expect(describeForecast('slow', [])).toEqual([
    'test: about 3 hours on two cores, less where Nx knows packages as tested',
  ]);
});

it('a new one is told in one line more what is fetched and built before', () => {
  const pending = ['npm packages (400 MB on disk)', 'TensorFlow from PyPI (237 MB to fetch)'];
  expect(describeForecast('quick', pending)[1]).toBe(
    'test: before that (once): npm packages (400 MB on disk), TensorFlow from PyPI (237 MB to fetch)',
  );
  expect(describeForecast('quick', pending, { offline: true })[1]).toBe(
    'test: before that, without a network (LOCKSTEP_OFFLINE): what cannot be had is skipped: npm packages (400 MB on disk), TensorFlow from PyPI (237 MB to fetch)',
  );
});
