/** As schedule.test.ts, further on. */
import { topologies } from '@lockstep/coordinator/steps';
import { expect, it } from 'vitest';
import { checkEndings, checkSchedules } from './test-schedules.js';

const SCHEDULES = 2500;
const ENDINGS = 1000;
/** Behind those of schedule.test.ts. */
const FIRST = 1001;

it.each([...topologies.entries()])(
  'ten thousand schedules end in the bits of the calm run ($1)',
  async (index, topology) => {
    expect(await checkSchedules(SCHEDULES, topology, FIRST + index * SCHEDULES)).toEqual([]);
  },
);

it.each([...topologies.entries()])(
  'work: whoever comes or comes back at the end of four thousand runs is told of it ($1)',
  async (index, topology) => {
    expect(await checkEndings(ENDINGS, topology, FIRST + index * ENDINGS)).toEqual([]);
  },
);
