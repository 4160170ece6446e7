/** A node with a slow link that comes to a run which is under way: 6 kB of state, and steps of a second and more. */
import { expect, it } from 'vitest';
import { runStuck } from './stuck-run.js';

const late = { who: 'node', point: { says: 'ready' }, isComputing: true, isLate: true } as const;

it.each(['star', 'mesh', 'hierarchical'] as const)(
  'cases: peers 14: the steps of a %s do not wait for a state that takes a minute',
  async (topology) => {
    const outcome = await runStuck({ ...late, manner: 'reads a hundred bytes a second', topology, shardMs: 700 });
    const text = outcome.lines.join('\n');
    expect(outcome.stuckMs, text).toBeDefined();
    expect([outcome.isOver, outcome.isCalm], text).toEqual([true, true]);
    expect(outcome.heldMs, text).toBeLessThan(3000);
    expect(text).not.toContain('"node-joined","node":"stuck"');
  },
);

it('a node is taken in when its state has come beside the steps, and is there when the run ends', async () => {
  const stuck = { ...late, manner: 'reads two kilobytes a second', topology: 'star', shardMs: 2000 } as const;
  const outcome = await runStuck(stuck);
  const text = outcome.lines.join('\n');
  expect([outcome.isOver, outcome.isCalm], text).toEqual([true, true]);
  expect(text).toContain('"node-joined","node":"stuck"');
  expect(text).not.toContain('node-evicted');
  // a step, and the state once more
  expect(outcome.heldMs, text).toBeLessThan(12_000);
});
