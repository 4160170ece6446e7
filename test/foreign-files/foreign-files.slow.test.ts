/** Many thousands of damaged files, with another seed each time. */
import { expect, it } from 'vitest';
import { useBars } from '../support/bars-place.ts';
import { runHere } from '../support/program-here.ts';
import { seedOr } from '../support/seed.ts';
import { readDamaged } from './read-damaged.ts';

const bars = useBars(runHere);
const RUNS = 1000;

it('issue 25: a damaged file of any kind is read as what it holds, or refused with a code', async () => {
  expect((await bars.train('--steps', '2', '--out', 'run')).code).toBe(0);
  const seed = seedOr(Math.floor(Math.random() * 2 ** 31));
  const { runs, faults } = await readDamaged(seed, RUNS, bars.place.folder);
  const count = Object.values(runs).reduce((sum, some) => sum + some, 0);
  console.log(`seed ${seed}: ${count} damaged files`);
  expect(faults).toEqual([]);
});
