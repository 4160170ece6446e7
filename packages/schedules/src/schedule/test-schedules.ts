import { readFileSync } from 'node:fs';
import { type Topology, topologies } from '@lockstep/coordinator/steps';
import { type Plan, type PlanKind, planKinds, runSchedule } from './index.js';

/** Lets so many schedules happen; gives those that did not end as they have to, each with how it is seen again. */
export const checkSchedules = (count: number, topology: Topology, first: number): Promise<string[]> =>
  check('any', '', count, topology, first);

/** The same for runs at whose end nodes come. */
export const checkEndings = (count: number, topology: Topology, first: number): Promise<string[]> =>
  check('endings', '--endings ', count, topology, first);

/** The same for runs in which one or two of four nodes lie. */
export const checkLiars = (count: number, topology: Topology, first: number): Promise<string[]> =>
  check('liars', '--liars ', count, topology, first);

async function check(
  kind: PlanKind,
  flag: string,
  count: number,
  topology: Topology,
  first: number,
): Promise<string[]> {
  const found: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const { fault } = await runSchedule(planKinds[kind](seed, topology));
    if (fault !== undefined) found.push(`npm run schedules -- ${flag}--seeds ${seed} --topology ${topology}: ${fault}`);
  }
  return found;
}

export interface Regression {
  /** What was wrong. */
  readonly was: string;
  /** The seeds of which kind it was found among. */
  readonly kind: PlanKind;
  /** Which file of the built packages has the text that mended it, and the text without that. */
  readonly mend: readonly [file: string, text: string, without: string];
  readonly plan: Plan;
}

/** Schedules that once did not end as they have to: as plans, since seeds mean others when the drawing of plans changes. */
export const readRegressions = (): Regression[] =>
  readFileSync(new URL('./regressions.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Regression);

/** Of a topology in the slow set, behind those of schedule.test.ts. */
export const FURTHER = 25_000;

/** A hundred thousand of all topologies together; each has a file of its own, so that two cores are used. */
export const checkFurther = (topology: Topology): Promise<string[]> =>
  checkSchedules(FURTHER, topology, 1001 + topologies.indexOf(topology) * FURTHER);
