import type { Topology } from '@lockstep/coordinator/steps';
import { drawPlan, runSchedule } from './index.js';

/** Lets so many schedules happen; gives those that did not end as they have to, each with how it is seen again. */
export async function checkSchedules(count: number, topology: Topology, first: number): Promise<string[]> {
  const found: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const { fault } = await runSchedule(drawPlan(seed, topology));
    if (fault !== undefined) found.push(`npm run schedules -- --seeds ${seed} --topology ${topology}: ${fault}`);
  }
  return found;
}
