import { COORDINATOR_ID } from '@lockstep/core/seams';
import type { Assignment, MessageOf } from '@lockstep/core/wire';
import { describe, expect, it } from 'vitest';
import type { RemoteNode } from '../members/remote-node.js';
import { Ahead, type Deal, needsKeeper } from './ahead.js';
import { ToldSteps } from './told-steps.js';

const STEP = 7;
const [A, B] = [1, 2];
const ALL = [COORDINATOR_ID, A, B];

function assign(computing: readonly number[], owners: readonly number[], withHash = false): Assignment {
  const members = computing.map((node, index) => ({ node, range: { begin: index, end: index + 1 } }));
  return {
    type: 'assign',
    step: STEP,
    generation: 3,
    members,
    owners: [...owners],
    replicas: ALL,
    groups: [],
    withHash,
  };
}

const dealOf = (assignment: Assignment, computing: readonly number[] = ALL): Deal => ({
  told: new ToldSteps().note(assignment),
  audits: [],
  computing,
});

/** A deal that two nodes have been told of; `nodes` and `isMesh` are what there is when the step begins. */
function keep(deal: Deal, nodes: readonly number[] = [A, B], isMesh = true): Ahead {
  const ahead = new Ahead({ nodes: new Map(nodes.map((id) => [id, {} as RemoteNode])), isMesh });
  ahead.keep(deal);
  return ahead;
}

const star = dealOf(assign(ALL, [COORDINATOR_ID]));
const mesh = dealOf(assign(ALL, ALL));

describe('what was told of a step', () => {
  it.each([
    ['a star', star],
    ['a mesh', mesh],
  ])('holds when it begins, in %s', (_, deal) => {
    expect(keep(deal).take(STEP, ALL, false)).toEqual({ deal, faults: [] });
  });

  it('holds once', () => {
    const ahead = keep(star);
    ahead.take(STEP, ALL, false);
    expect(ahead.take(STEP, ALL, false)).toBeUndefined();
  });

  it.each<[string, () => unknown]>([
    ['another step begins', () => keep(star).take(STEP - 1, ALL, false)],
    ['others compute', () => keep(star).take(STEP, [COORDINATOR_ID, A], false)],
    ['a node has gone', () => keep(star, [A]).take(STEP, ALL, false)],
    ['a node has come', () => keep(star, [A, B, 3]).take(STEP, ALL, false)],
    ['two nodes of a mesh have lost each other', () => keep(mesh, [A, B], false).take(STEP, ALL, false)],
    ['the step turns out to be the last, after which replicas are compared', () => keep(star).take(STEP, ALL, true)],
  ])('is void when %s', (_, take) => {
    expect(take()).toBeUndefined();
  });

  it('holds for a last step after which replicas are compared anyhow', () => {
    expect(keep(dealOf(assign(ALL, [COORDINATOR_ID], true))).take(STEP, ALL, true)).toBeDefined();
  });

  it('comes with what nodes that are ahead have found', () => {
    const ahead = keep(star);
    const fault: MessageOf<'fault'> = {
      type: 'fault',
      step: STEP,
      generation: 3,
      node: A,
      code: 'LOCKSTEP_X',
      text: '',
    };
    expect(ahead.keepFault({ by: B, fault: { ...fault, generation: 2 } })).toBe(false);
    expect(ahead.keepFault({ by: B, fault })).toBe(true);
    expect(ahead.take(STEP, ALL, false)?.faults).toEqual([{ by: B, fault }]);
  });
});

describe('a step can be ended without the coordinator', () => {
  it.each([
    ['in a mesh of others alone', assign([A, B], [A, B]), true],
    ['not in a mesh that it computes in', assign(ALL, ALL), false],
    ['not in a star', assign([A, B], [COORDINATOR_ID]), false],
  ])('%s', (_, assignment, expected) => {
    expect(!needsKeeper(assignment)).toBe(expected);
  });
});
