import { COORDINATOR_ID } from '@lockstep/core/seams';
import { expect, it } from 'vitest';
import { Suspects } from './suspects.js';

/** An attempt in which these nodes compute, and those are named. */
function attempt(suspects: Suspects, computing: readonly number[], named: readonly number[]): void {
  suspects.beginAttempt();
  for (const node of named) suspects.name(node);
  suspects.settle(computing);
}

it('takes the first that is named in an attempt', () => {
  const suspects = new Suspects();
  attempt(suspects, [COORDINATOR_ID, 1, 2], [2, 1]);
  expect(suspects.list()).toEqual([2]);
  expect(suspects.isConfirmed).toBe(false);
  expect(suspects.chooseComputing([1, 2], true)).toEqual([COORDINATOR_ID, 1]);
});

it('whoever is named, and however many: only the keeper alone confirms that a result is not finite', () => {
  const suspects = new Suspects();
  attempt(suspects, [COORDINATOR_ID, 1, 2, 3, 4], [2]);
  attempt(suspects, [COORDINATOR_ID, 1, 3, 4], [1]);
  expect(suspects.isConfirmed).toBe(false);
  expect(suspects.chooseComputing([1, 2, 3, 4], true)).toEqual([COORDINATOR_ID]);
  attempt(suspects, [COORDINATOR_ID], []);
  expect(suspects.isConfirmed).toBe(false);
  attempt(suspects, [COORDINATOR_ID], [COORDINATOR_ID]);
  expect(suspects.isConfirmed).toBe(true);
  suspects.clear();
  expect(suspects.isConfirmed).toBe(false);
  expect(suspects.chooseComputing([1], false)).toEqual([1]);
});

it('one result that is not finite confirms nothing, the keeper computes it again', () => {
  const suspects = new Suspects();
  attempt(suspects, [COORDINATOR_ID], [COORDINATOR_ID]);
  expect(suspects.isConfirmed).toBe(false);
  expect(suspects.chooseComputing([], true)).toEqual([COORDINATOR_ID]);
  attempt(suspects, [COORDINATOR_ID], [COORDINATOR_ID]);
  expect(suspects.isConfirmed).toBe(true);
});

it('does not count what is said of an attempt after its end for the next', () => {
  const suspects = new Suspects();
  attempt(suspects, [COORDINATOR_ID], [COORDINATOR_ID]);
  suspects.name(COORDINATOR_ID);
  attempt(suspects, [COORDINATOR_ID], []);
  expect(suspects.isConfirmed).toBe(false);
});

it('has the keeper confirm what no other node can', () => {
  const suspects = new Suspects();
  attempt(suspects, [1], [1]);
  expect(suspects.chooseComputing([1], false)).toEqual([COORDINATOR_ID]);
});
