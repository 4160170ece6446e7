import { type Topology, topologies } from '@lockstep/coordinator/steps';
import { bytesOf } from '@lockstep/core/run';
import { LocalNode } from '@lockstep/worker/node';
import { expect, it } from 'vitest';
import { hashState } from '../machines/coordinator.js';
import { EPOCHS, recipeNames, runs, STEPS_PER_EPOCH } from '../machines/run.js';
import { drawLiars, drawPlan, findCalm, runSchedule } from './index.js';
import { checkEndings, checkLiars, checkSchedules } from './test-schedules.js';

const SCHEDULES = 250;
const LIARS = 25;
const ENDINGS = 25;

it.each([...topologies.entries()])(
  'whatever happens to nodes, links and their coordinator, a run ends in the bits of the calm one ($1)',
  async (index, topology) => expect(await checkSchedules(SCHEDULES, topology, 1 + index * SCHEDULES)).toEqual([]),
);

it.each([...topologies.entries()])(
  'work: whoever comes or comes back while a run ends is told of its end, and ends with its exit code ($1)',
  async (index, topology) => expect(await checkEndings(ENDINGS, topology, 1 + index * ENDINGS)).toEqual([]),
);

it.each([
  [373, 'at most one sum of a liar was compared in a step, whatever --audit said', 'star'],
  [2628, 'a liar had its deadline counted from an attempt that it had no part in: 80 minutes', 'auto'],
  [29060, 'two liars, who sent infinite sums to one step, ended the run as diverged'],
  [34848, 'the same in a mesh'],
  [39348, 'the same in a later step'],
  [41729, 'the same in the second epoch'],
  [72, 'bytes of a coordinator that was gone went on coming, for an hour: a fault of the simulator'],
] as const)('seed %i: %s', async (seed, _, topology?: Topology) => {
  expect((await runSchedule(drawPlan(seed, topology))).fault).toBeUndefined();
});

it.each([...topologies.entries()])(
  'cases: peers 5, 8: whatever one or two liars of four nodes say, a run ends in its bits, or says where it may not ($1)',
  async (index, topology) => expect(await checkLiars(LIARS, topology, 1 + index * LIARS)).toEqual([]),
);

it.each([
  [1316, 'bytes that a dead coordinator had not sent were signs of life for ever'],
  [2503, 'the same, of a node'],
  [4104, 'what a coordinator had said before it died was done when the next was there'],
] as const)('seed %i of the liars: %s', async (seed, _) => {
  expect((await runSchedule(drawLiars(seed))).fault).toBeUndefined();
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
