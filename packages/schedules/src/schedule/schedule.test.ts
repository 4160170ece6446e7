import { topologies } from '@lockstep/coordinator/steps';
import { bytesOf } from '@lockstep/core/run';
import { LocalNode } from '@lockstep/worker/node';
import { expect, it } from 'vitest';
import { hashState } from '../machines/coordinator.js';
import { EPOCHS, recipeNames, runs, STEPS_PER_EPOCH } from '../machines/run.js';
import { drawPlan, findCalm, runSchedule } from './index.js';
import { checkEndings, checkLiars, checkSchedules, readRegressions } from './test-schedules.js';

const SCHEDULES = 250;
const LIARS = 25;
const ENDINGS = 25;
const DENSE = 60;

it.each([...topologies.entries()])(
  'whatever happens to nodes, links and their coordinator, a run ends in the bits of the calm one ($1)',
  async (index, topology) => expect(await checkSchedules(SCHEDULES, topology, 1 + index * SCHEDULES)).toEqual([]),
);

it.each([...topologies.entries()])(
  'work: whoever comes or comes back while a run ends is told of its end, and ends with its exit code ($1)',
  async (index, topology) => expect(await checkEndings(ENDINGS, topology, 1 + index * ENDINGS)).toEqual([]),
);

it.each(readRegressions())('once it did not end so: $was', async ({ plan }) => {
  expect((await runSchedule(plan)).fault).toBeUndefined();
});

it.each([...topologies.entries()])(
  'cases: peers 5, 8: whatever one or two liars of four nodes say, a run ends in its bits, or says where it may not ($1)',
  async (index, topology) => expect(await checkLiars(LIARS, topology, 1 + index * LIARS)).toEqual([]),
);

it('most of what is drawn to happen to a run comes to pass while it goes on', async () => {
  let drawn = 0;
  let happened = 0;
  for (let seed = 1; seed <= DENSE; seed++) {
    const plan = drawPlan(seed);
    const { injected } = await runSchedule(plan);
    drawn += plan.faults.length;
    for (const kind of new Set(plan.faults.map(([, fault]) => fault.kind))) happened += injected[kind] ?? 0;
  }
  expect(drawn).toBeGreaterThan(DENSE);
  // the others: nobody is there whom they could strike, or they come late on purpose
  expect(happened / drawn).toBeGreaterThan(0.65);
});

it('a seed gives the same schedule, event for event', async () => {
  for (const seed of [1, 270, 373]) {
    const [first, second] = [
      await runSchedule(drawPlan(seed), { isTold: true }),
      await runSchedule(drawPlan(seed), { isTold: true }),
    ];
    expect(first.lines.length).toBeGreaterThan(5);
    expect(second).toEqual(first);
  }
});

it.each(recipeNames)('the calm run has the bits of one with threads of its own (%s)', async (name) => {
  const node = new LocalNode({ ...runs[name], workers: 2 });
  try {
    for (let epoch = 0; epoch < EPOCHS; epoch++)
      await node.train({ epoch, firstStep: epoch * STEPS_PER_EPOCH, endStep: (epoch + 1) * STEPS_PER_EPOCH });
    const snapshot = node.readSnapshot();
    expect(bytesOf(snapshot.state).some((byte) => byte !== 0)).toBe(true);
    expect(hashState(snapshot)).toBe((await findCalm(name)).get(EPOCHS * STEPS_PER_EPOCH));
  } finally {
    await node.close();
  }
});
