import { COORDINATOR_ID } from '@lockstep/core/seams';
import { expect, it } from 'vitest';
import { Suspects } from './suspects.js';

it('takes the first that is named in an attempt, and confirms a second attempt with the same', () => {
  const suspects = new Suspects();
  suspects.beginAttempt();
  suspects.name(2);
  suspects.name(1);
  suspects.settle();
  expect(suspects.list()).toEqual([2]);
  expect(suspects.isConfirmed).toBe(false);
  expect(suspects.chooseComputing([1, 2], true)).toEqual([COORDINATOR_ID, 1]);
  suspects.beginAttempt();
  suspects.name(COORDINATOR_ID);
  suspects.settle();
  expect(suspects.isConfirmed).toBe(true);
});

it('does not count what is said of an attempt after its end for the next', () => {
  const suspects = new Suspects();
  suspects.beginAttempt();
  suspects.name(COORDINATOR_ID);
  suspects.settle();
  suspects.name(COORDINATOR_ID);
  suspects.beginAttempt();
  suspects.settle();
  expect(suspects.isConfirmed).toBe(false);
});

it('has the keeper confirm what no other node can', () => {
  const suspects = new Suspects();
  suspects.add(1);
  expect(suspects.chooseComputing([1], false)).toEqual([COORDINATOR_ID]);
  suspects.clear();
  expect(suspects.chooseComputing([1], false)).toEqual([1]);
});
