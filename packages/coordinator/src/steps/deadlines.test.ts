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

/** Milliseconds that the node has for a step that begins now. */
const limitOf = (deadlines: Deadlines): number => deadlines.limitMs(NODE, new ToldSteps().note(assignTo(NODE)));

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
      take(deadlines, NODE, 0.9 * limitOf(deadlines));
    }
    return limitOf(deadlines);
  };

  it('gets at most twice as long from one step to the next', () => {
    const deadlines = new Deadlines();
    take(deadlines, NODE, 2000);
    const before = limitOf(deadlines);
    take(deadlines, NODE, 1e6);
    expect(limitOf(deadlines)).toBeLessThanOrEqual(2.1 * before);
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

  it('gets no longer by saying that it has computed shards of an attempt that it has no part in', () => {
    const deadlines = new Deadlines();
    take(deadlines, 4, 100);
    const before = limitOf(deadlines);
    const told = new ToldSteps().note(assignTo(4));
    told.beganMs = performance.now() - 600_000;
    expect(deadlines.noteContributed(told, NODE)).toBe(false);
    expect(limitOf(deadlines)).toBe(before);
  });

  it('is not measured by a node that is gone', () => {
    const deadlines = new Deadlines();
    take(deadlines, 4, 1);
    deadlines.forget(4);
    take(deadlines, NODE, 5000);
    expect(limitOf(deadlines)).toBeGreaterThan(40_000);
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

describe('cases: peers 27: the first step of a node', () => {
  /** Limit of a step of so many shards that began ten minutes ago, of a node whose kernels were at work for so long. */
  const limitAfter = (deadlines: Deadlines, atWorkMs: number, shards = 1): number => {
    const told = new ToldSteps().note({ ...assignTo(), members: [{ node: NODE, range: { begin: 0, end: shards } }] });
    told.atWorkMs.set(NODE, told.beganMs + atWorkMs);
    return deadlines.limitMs(NODE, told);
  };

  it('may last half a minute longer than its kernels are known to be at work', () => {
    expect(limitOf(new Deadlines())).toBe(30_000);
    expect(limitAfter(new Deadlines(), 400_000)).toBe(430_000);
  });

  it('may last ten minutes where there are no others, or a second for each 16 samples of a large batch', () => {
    expect(limitAfter(new Deadlines(64), 1e9, 4)).toBe(600_000);
    expect(limitAfter(new Deadlines(64), 1e9, 1024)).toBe(4_096_000);
  });

  it('may last a hundred times as long as that of the others, whatever it says', () => {
    const deadlines = new Deadlines();
    take(deadlines, 4, 100);
    expect(limitAfter(deadlines, 1e9, 4096)).toBe(30_000);
    take(deadlines, 5, 2000);
    take(deadlines, 6, 2000);
    expect(limitAfter(deadlines, 1e9, 4096)).toBeGreaterThan(199_000);
    expect(limitAfter(deadlines, 1e9, 4096)).toBeLessThan(201_000);
  });

  it('is no measure of later ones: what a node says of its kernels gives it no more time there', () => {
    const deadlines = new Deadlines();
    take(deadlines, NODE, 100);
    expect(limitAfter(deadlines, 1e6)).toBe(5000);
  });
});

describe('the state of a node that joins', () => {
  it('may take as long as it likes while nobody has computed, or is left', () => {
    const deadlines = new Deadlines();
    expect(deadlines.stateMs).toBe(Number.POSITIVE_INFINITY);
    take(deadlines, NODE, 100);
    deadlines.forget(NODE);
    expect(deadlines.stateMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('may take ten times what the others take for their shards, and five seconds', () => {
    const deadlines = new Deadlines();
    take(deadlines, 4, 100);
    expect(deadlines.stateMs).toBe(5000);
    take(deadlines, 5, 2000);
    take(deadlines, 6, 2000);
    expect(deadlines.stateMs).toBeGreaterThan(19_900);
    expect(deadlines.stateMs).toBeLessThan(20_500);
  });
});
