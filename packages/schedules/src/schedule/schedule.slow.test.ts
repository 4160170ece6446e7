/** As schedule.test.ts, further on. */
import { topologies } from '@lockstep/coordinator/steps';
import { expect, it } from 'vitest';
import { checkSchedules } from './test-schedules.js';

const SCHEDULES = 2500;
/** Behind those of schedule.test.ts. */
const FIRST = 1001;

it.each([...topologies.entries()])(
  'ten thousand schedules end in the bits of the calm run ($1)',
  async (index, topology) => {
    expect(await checkSchedules(SCHEDULES, topology, FIRST + index * SCHEDULES)).toEqual([]);
  },
);
