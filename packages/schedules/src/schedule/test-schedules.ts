import type { Topology } from '@lockstep/coordinator/steps';
import { drawEnding, drawPlan, runSchedule } from './index.js';

/** Lets so many schedules happen; gives those that did not end as they have to, each with how it is seen again. */
export const checkSchedules = (count: number, topology: Topology, first: number): Promise<string[]> =>
  check(drawPlan, '', count, topology, first);

/** The same for runs at whose end nodes come. */
export const checkEndings = (count: number, topology: Topology, first: number): Promise<string[]> =>
  check(drawEnding, '--endings ', count, topology, first);

async function check(
  draw: typeof drawPlan,
  flag: string,
  count: number,
  topology: Topology,
  first: number,
): Promise<string[]> {
  const found: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const { fault } = await runSchedule(draw(seed, topology));
    if (fault !== undefined) found.push(`npm run schedules -- ${flag}--seeds ${seed} --topology ${topology}: ${fault}`);
  }
  return found;
}
