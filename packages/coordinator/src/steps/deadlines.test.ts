import { COORDINATOR_ID } from '@lockstep/core/seams';
import type { Assignment } from '@lockstep/core/wire';
import { describe, expect, it } from 'vitest';
import { Deadlines } from './deadlines.js';
import { ToldSteps } from './told-steps.js';

const NODE = 3;

function assignTo(...members: number[]): Assignment {
  return {
    type: 'assign',
    step: 8,
    generation: 1,
    members: members.map((node, index) => ({ node, range: { begin: index, end: index + 1 } })),
    owners: [COORDINATOR_ID],
    replicas: [COORDINATOR_ID, NODE],
    groups: [],
    withHash: true,
  };
}

/** A step that is told of now, and whose contribution comes so many milliseconds later. */
function take(deadlines: Deadlines, node: number, ms: number): void {
  const told = new ToldSteps().note(assignTo(node));
  told.beganMs = performance.now() - ms;
  deadlines.noteContributed(told, node);
}

describe('cases: peers 11: a node that takes longer each time', () => {
  const slowDown = (deadlines: Deadlines, others: readonly number[]): number => {
    for (let step = 0; step < 60; step++) {
      for (const other of others) take(deadlines, other, 100);
      take(deadlines, NODE, 0.9 * deadlines.limitMs(NODE, 1));
    }
    return deadlines.limitMs(NODE, 1);
  };

  it('gets at most twice as long from one step to the next', () => {
    const deadlines = new Deadlines();
    take(deadlines, NODE, 2000);
    const before = deadlines.limitMs(NODE, 1);
    take(deadlines, NODE, 1e6);
    expect(deadlines.limitMs(NODE, 1)).toBeLessThanOrEqual(2.1 * before);
  });

  it('gets no longer than a multiple of what the others take', () =>
    expect(slowDown(new Deadlines(), [4, 5])).toBeLessThanOrEqual(30_000));

  it('gets no longer than a multiple of what the keeper takes, where there is nobody else', () => {
    const deadlines = new Deadlines();
    deadlines.noteOwn(assignTo(COORDINATOR_ID, NODE), 100);
    expect(slowDown(deadlines, [])).toBe(30_000);
  });

  it('gets no longer than ten minutes where there are no others', () =>
    expect(slowDown(new Deadlines(), [])).toBe(600_000));

  it('is not measured by a node that is gone', () => {
    const deadlines = new Deadlines();
    take(deadlines, 4, 1);
    deadlines.forget(4);
    take(deadlines, NODE, 5000);
    expect(deadlines.limitMs(NODE, 1)).toBeGreaterThan(40_000);
  });
});

describe('nobody is late at the beginning of a step', () => {
  it.each([
    ['a node that computes', [COORDINATOR_ID, NODE]],
    ['a node that only has to apply what the coordinator computes alone', [COORDINATOR_ID]],
  ])('%s', (_, members) => {
    const deadlines = new Deadlines();
    const assignment = assignTo(...members);
    expect(deadlines.findLate(new ToldSteps().note(assignment), [NODE], [NODE])).toEqual([]);
  });
});

it('cases: peers 27: a node has as long for its first step as its part of a large batch may take', () => {
  const deadlines = new Deadlines(64);
  expect(deadlines.limitMs(NODE, 4)).toBe(30_000);
  expect(deadlines.limitMs(NODE, 1024)).toBe(4_096_000);
});
