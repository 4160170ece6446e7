import type { NodeEvent } from '@lockstep/core/events';
import type { NodeSnapshot } from '@lockstep/core/seams';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WayBack } from './way-back.js';

const EPOCH_STEPS = 10;
const LIE = 'LOCKSTEP_NODE_AUDIT';

/** Of 8 bytes. */
const stateAt = (step: number): NodeSnapshot => ({
  step,
  state: new Float32Array(1),
  slots: [new Float32Array(1)],
  results: new Float32Array(0),
});

function open(isAuditing = true) {
  const events: NodeEvent[] = [];
  const back = new WayBack({ isAuditing, epochSteps: EPOCH_STEPS, emit: (event) => events.push(event) });
  const join = (step: number, id: number, name = `node ${id}`): void =>
    back.join([{ id, name, key: `10.0.0.1 ${name}` }], stateAt(step));
  return { back, join, events };
}

describe('the way back', () => {
  it('is the beginning for who was there from it, and costs no memory', () => {
    const { back, join, events } = open();
    join(0, 1);
    back.leave(1, LIE, 25);
    expect(back.isDue(25)).toBe(true);
    expect(back.go(25)).toBeUndefined();
    expect(back.isDue(0)).toBe(false);
    expect(events).toEqual([{ event: 'went-back', node: 'node 1', step: 0, epochs: 0, from: 25 }]);
  });

  it('is the state at which a node joined, until it is compared and audited', () => {
    const { back, join, events } = open();
    join(0, 1);
    join(12, 2);
    back.noteChecked([2], []);
    expect(back.steps).toEqual([0, 12]);
    back.leave(2, LIE, 31);
    expect(back.isDue(31)).toBe(true);
    expect(back.go(31)?.step).toBe(12);
    expect(events).toEqual([
      { event: 'states-kept', at: [12], bytes: 8 },
      { event: 'went-back', node: 'node 2', step: 12, epochs: 1, from: 31 },
      { event: 'states-kept', at: [], bytes: 0 },
    ]);
  });

  it('is the beginning again for who was checked, whose state is given up', () => {
    const { back, join, events } = open();
    join(12, 2);
    back.noteChecked([2], [2]);
    expect(events.at(-1)).toEqual({ event: 'states-kept', at: [], bytes: 0 });
    back.leave(2, LIE, 31);
    back.isDue(31);
    expect(back.go(31)).toBeUndefined();
  });

  it('leads to before a node first took part when it has come again', () => {
    const { back, join } = open();
    join(4, 1);
    back.leave(1, 'LOCKSTEP_NODE_LOST', 20);
    join(30, 2, 'node 1');
    back.leave(2, LIE, 33);
    expect(back.isDue(33)).toBe(true);
    expect(back.go(33)).toBeUndefined();
  });

  it('is not gone for who had a part in no step that stands', () => {
    const { back, join } = open();
    join(12, 1);
    back.leave(1, LIE, 12);
    expect(back.isDue(12)).toBe(false);
    join(20, 2);
    back.leave(2, LIE, 30);
    // its replica differed, and the run went back to the last comparison
    expect(back.isDue(16)).toBe(false);
  });

  it('is not gone for who leaves, dies or stalls', () => {
    const { back, join } = open();
    for (const [id, code] of [
      [1, 'LOCKSTEP_NODE_LOST'],
      [2, 'LOCKSTEP_NODE_STALLED'],
      [3, 'LOCKSTEP_NODE_FRAME'],
    ] as const) {
      join(0, id);
      back.leave(id, code, 20);
    }
    expect(back.isDue(20)).toBe(false);
  });

  it('without --audit is not there: the steps are told', () => {
    const { back, join, events } = open(false);
    join(3, 1);
    join(5, 2);
    back.excuse(2);
    back.leave(2, 'LOCKSTEP_NODE_CONTRIBUTION', 9);
    back.leave(1, 'LOCKSTEP_NODE_REPLICA', 16);
    const doubted = { node: 'node 1', firstStep: 3, endStep: 16 };
    expect(back.listDoubted(16)).toEqual([doubted]);
    expect(back.isDue(16)).toBe(false);
    expect(back.listDoubted(20)).toEqual([doubted]);
    expect(back.steps).toEqual([]);
    expect(events).toEqual([{ event: 'steps-doubted', ...doubted }]);
  });

  it('of a resumed run begins where that was resumed', () => {
    const { back, join } = open();
    back.begin(100);
    join(100, 1);
    expect(back.steps).toEqual([100]);
  });

  /** What may happen between two steps. */
  const happening = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'step' as const }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('join' as const), name: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('check' as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('lie' as const), pick: fc.nat() }) },
  );

  it('bounds: states to go back to: never leaves a step of a liar standing, nor keeps more than two states, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        const { back, join } = open();
        /** Who had a part in each step that stands. */
        const steps: string[][] = [];
        const here = new Map<number, string>();
        let nextId = 1;
        for (const each of happenings) {
          const ids = [...here.keys()];
          const id = 'pick' in each ? ids[each.pick % ids.length] : undefined;
          if (each.kind === 'step') steps.push([...here.values()]);
          if (each.kind === 'join' && ![...here.values()].includes(`node ${each.name}`)) {
            here.set(nextId, `node ${each.name}`);
            join(steps.length, nextId++, `node ${each.name}`);
          }
          if (id === undefined) continue;
          const name = here.get(id) as string;
          if (each.kind === 'check') back.noteChecked([id], [id]);
          else here.delete(id);
          if (each.kind === 'leave') back.leave(id, 'LOCKSTEP_NODE_LOST', steps.length);
          if (each.kind === 'lie') {
            back.leave(id, LIE, steps.length);
            const isDue = back.isDue(steps.length);
            if (steps.some((names) => names.includes(name))) expect(isDue).toBe(true);
            if (isDue) steps.splice(back.go(steps.length)?.step ?? 0);
            expect(steps.some((names) => names.includes(name))).toBe(false);
          }
          expect(back.steps.length).toBeLessThanOrEqual(3);
          expect(Math.max(...back.steps)).toBeLessThanOrEqual(steps.length);
        }
      }),
    );
  });
});
