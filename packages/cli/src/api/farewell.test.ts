import { LockstepError } from '@lockstep/core/errors';
import type { EndEvent } from '@lockstep/core/events';
import { divergedError } from '@lockstep/core/seams';
import { expect, it } from 'vitest';
import { farewellOf } from './farewell.js';

const end = (reason: EndEvent['reason'], signal?: string): EndEvent =>
  ({ event: 'end', reason, steps: 40, ...(signal !== undefined && { signal }) }) as EndEvent;

it.each(['completed', 'steps', 'until', 'patience', 'stopped'] as const)(
  'ends the nodes of a run with 0 whose end is: %s',
  (reason) => {
    expect(farewellOf(end(reason), undefined)).toEqual({ type: 'end', text: 'the run is over', exitCode: 0 });
  },
);

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['TimeoutError', 1],
  [undefined, 1],
])('ends the nodes of a run that was cut short by %s with %i', (signal, exitCode) => {
  const by = signal === undefined ? '' : ` by ${signal}`;
  const text = `the run was cut short${by} after 40 steps`;
  expect(farewellOf(end('interrupted', signal), undefined)).toEqual({ type: 'end', text, exitCode });
});

it('says of a run that has diverged or failed which it was and why, and never 0', () => {
  const diverged = farewellOf(undefined, divergedError('the loss of step 3', 0));
  expect(diverged.exitCode).toBe(2);
  expect(diverged.text).toMatch(/^the run has diverged: the loss of step 3 .* is not a finite number/);
  const lost = new LockstepError('LOCKSTEP_WORKERS_LOST', 'workers were lost 4 times in a row.');
  expect(farewellOf(undefined, lost)).toEqual({
    type: 'end',
    text: 'the run has failed: workers were lost 4 times in a row.',
    exitCode: 1,
  });
  // the weights were there, what watched the run was not
  expect(farewellOf(end('completed'), new Error('x'.repeat(9999)))).toMatchObject({ exitCode: 1 });
  expect(farewellOf(end('completed'), new Error('x'.repeat(9999))).text).toHaveLength(2000);
  expect(farewellOf(undefined, undefined)).toMatchObject({ text: 'the run was left before its end', exitCode: 1 });
});
