/** A node that has the token, lies, is sent away and comes back at once, by another name each time. */
import { expect, it } from 'vitest';
import { canonicalPartials, planContribution } from '../../packages/core/dist/run/index.js';
import { useFixture } from '../support/cluster-fixture.ts';
import { HostileNode, learnSelfTest } from './hostile-node.ts';

/** Two comparisons on the way, every 16 steps. */
const STEPS = 60;
const fixture = useFixture(STEPS);

async function countFloats(): Promise<number> {
  const { inferLayers } = await import('../../packages/core/dist/model/index.js');
  const { loadModelSpec } = await import('../../packages/core/dist/zoo/index.js');
  return planContribution(inferLayers(loadModelSpec(fixture.model).model)).length;
}

it('cases: peers 7: a liar that comes back under ever new names does not hold a run up, and joins seldom', async () => {
  const selfTest = await learnSelfTest(fixture);
  const payload = new Uint8Array(4 * (await countFloats()));
  const run = fixture.listen(STEPS, ['--wait-for', '1']);
  const url = await run.url();
  const times = { computeMs: 0.5, updateMs: 0.25, exchangeMs: 0.5, stepMs: 1 };

  /** Sends zeros for sums, and a hash of nothing, until it is sent away. */
  async function lie(name: string): Promise<void> {
    const node = new HostileNode(url);
    const answer = async (): Promise<void> => {
      let assignment = await node.join(selfTest, { name });
      for (;;) {
        const { step, generation, members, withHash } = assignment;
        const range = members.find(({ node: id }) => id === node.id)?.range;
        for (const part of range ? canonicalPartials(range) : []) {
          node.send({ type: 'partial', step, generation, ...part, offset: 0 }, payload);
        }
        node.send({ type: 'applied', step, generation, ...times, ...(withHash && { hash: '0'.repeat(64) }) });
        assignment = (await node.next('assign')).message;
      }
    };
    void answer();
    await node.closed;
  }

  let isOver = false;
  const lying = (async () => {
    for (let number = 1; !isOver; number++) await lie(`liar ${number}`);
  })();
  expect(await run.hash()).toBe(fixture.expected);
  expect(await run.exit).toBe(0);
  isOver = true;
  await lying;
  const joins = run.events.filter(({ event }) => event === 'node-joined');
  const refused = run.events.filter(({ code }) => code === 'LOCKSTEP_NODE_PAUSE');
  expect(joins.length).toBeLessThanOrEqual(8);
  expect(refused.length).toBeGreaterThan(0);
});
