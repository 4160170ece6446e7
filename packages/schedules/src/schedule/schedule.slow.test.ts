/** As schedule.test.ts, further on; a hundred thousand of any kind are in further-*.slow.test.ts. */
import { topologies } from '@lockstep/coordinator/steps';
import { expect, it } from 'vitest';
import { checkEndings, checkLiars } from './test-schedules.js';

const ENDINGS = 1000;
/** All four take some five minutes of a core. */
const LIARS = 900;
/** Behind those of schedule.test.ts. */
const FIRST = 1001;

it.each([...topologies.entries()])(
  'work: whoever comes or comes back at the end of four thousand runs is told of it ($1)',
  async (index, topology) => {
    expect(await checkEndings(ENDINGS, topology, FIRST + index * ENDINGS)).toEqual([]);
  },
);

it.each([...topologies.entries()])(
  'cases: peers 5, 8: thirty-six hundred runs with liars end in their bits, or say where they may not ($1)',
  async (index, topology) => {
    expect(await checkLiars(LIARS, topology, FIRST + index * LIARS)).toEqual([]);
  },
);
