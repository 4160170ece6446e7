import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Retracing } from './retracing.js';

/** Steps from one on, those of which `isOwn` the keeper has computed. */
function runSteps(retracing: Retracing, first: number, end: number, isOwn = retracing.isWatched.bind(retracing)): void {
  for (let step = first; step < end; step++) retracing.noteStep(step, isOwn(step));
}

it('a run all of whose sums the keeper has computed has nothing to go back for', () => {
  const retracing = new Retracing();
  runSteps(retracing, 0, 20, () => true);
  expect(retracing.firstStep).toBeUndefined();
  expect(retracing.begin(20, 0)).toBe(false);
  expect(retracing.describeRest()).toBe('');
});

it('goes back once for the same numbers: all steps up to them are watched then, and some behind', () => {
  const retracing = new Retracing();
  runSteps(retracing, 0, 20);
  expect(retracing.firstStep).toBe(0);
  expect(retracing.begin(20, 0)).toBe(true);
  retracing.rewind(0);
  expect([0, 20, 35, 36].map((step) => retracing.isWatched(step))).toEqual([true, true, true, false]);
  runSteps(retracing, 0, 20);
  expect(retracing.begin(20, 0)).toBe(false);
});

it('where only a later state is there, says which steps before it others had a part in', () => {
  const retracing = new Retracing();
  runSteps(retracing, 3, 20);
  expect(retracing.begin(20, 16)).toBe(true);
  retracing.rewind(16);
  runSteps(retracing, 16, 20);
  expect(retracing.begin(20, 16)).toBe(false);
  expect(retracing.describeRest()).toBe(
    '; steps 3 to 15 hold sums of other nodes that were not computed again (with --audit they are)',
  );
  retracing.rewind(4);
  expect(retracing.describeRest()).toContain('; step 3 holds sums of other nodes');
});

it('whoever lies whenever nobody looks, a run comes to its end', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 20 }), (steps, base) => {
      const retracing = new Retracing();
      let step = 0;
      let times = 0;
      while (step < steps) {
        const isWatched = retracing.isWatched(step);
        retracing.noteStep(step++, isWatched);
        // each sum that is not computed again leads to numbers that are not finite
        if (isWatched || !retracing.begin(step, Math.min(base, step - 1))) continue;
        times++;
        step = Math.min(base, step - 1);
        retracing.rewind(step);
      }
      expect(times).toBeLessThanOrEqual(Math.ceil(Math.log2(steps + 16)));
    }),
  );
});
