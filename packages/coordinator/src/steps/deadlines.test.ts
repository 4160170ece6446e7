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
