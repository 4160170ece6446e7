import type { Assignment, MessageOf } from '@lockstep/core/wire';
import { describe, expect, it } from 'vitest';
import { Accusations, couldSee } from './accusations.js';

const [A, B, C] = [1, 2, 3];
const members = [0, A, B].map((node, index) => ({ node, range: { begin: index, end: index + 1 } }));
const star: Assignment = {
  type: 'assign',
  step: 4,
  generation: 9,
  members,
  owners: [0],
  replicas: [0, A, B],
  groups: [],
  withHash: false,
};
const mesh: Assignment = { ...star, owners: [0, A, B] };
const accuse = (by: number, node: number) => {
  const fault: MessageOf<'fault'> = { type: 'fault', step: 4, generation: 9, node, code: 'LOCKSTEP_X', text: 'forged' };
  return { by, fault };
};

describe('cases: peers 1, 8: an accusation', () => {
  it.each([
    ['of a node whose sums come to the accuser', accuse(A, B), mesh, true],
    ['in a star, where all sums come to the coordinator', accuse(A, B), star, false],
    ['of itself', accuse(A, A), mesh, false],
    ['of a node that computes nothing', accuse(A, C), mesh, false],
    ['by a node that takes no part', accuse(C, B), mesh, false],
  ])('%s counts: %#', (_, accusation, assignment, expected) => {
    expect(couldSee(accusation, assignment)).toBe(expected);
  });

  it('that is in vain three times costs the accuser its place, unless one was right meanwhile', () => {
    const accusations = new Accusations();
    expect(accusations.note(accuse(A, B))).toBeUndefined();
    expect(accusations.note(accuse(A, B))).toBeUndefined();
    expect(accusations.note(accuse(B, A))).toBeUndefined();
    const reason = accusations.note(accuse(A, B));
    expect(reason?.code).toBe('LOCKSTEP_NODE_ORDER');
    expect(reason?.text).not.toContain('forged');
    accusations.clear();
    expect(accusations.note(accuse(A, B))).toBeUndefined();
  });

  it('is forgotten with its accuser: one that comes again and again leaves nothing', () => {
    const accusations = new Accusations();
    for (let node = 1; node <= 1000; node++) {
      accusations.note(accuse(node, B));
      accusations.forget(node);
    }
    expect(accusations.size).toBe(0);
  });
});
