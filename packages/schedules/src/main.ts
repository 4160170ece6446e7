/** `npm run schedules -- --seeds 1..N`: lets schedules happen; of one that does not end as it has to, the seed is told. */
import './environment.js';
import { parseArgs } from 'node:util';
import { type Topology, topologies } from '@lockstep/coordinator/steps';
import { fixed } from '@lockstep/core/text';
import { drawEnding, drawPlan } from './schedule/plan.js';
import { runSchedule } from './schedule/run-schedule.js';

const USAGE = `npm run schedules -- [--seeds 1..1000] [--topology ${topologies.join('|')}] [--endings]
of one seed: step by step; --endings: nodes come and lose their connections at the end of the run`;

interface Settings {
  readonly first: number;
  readonly last: number;
  readonly topology: Topology | undefined;
  readonly draw: typeof drawPlan;
}

/** A sentence where something is wrong. */
function readArguments(args: string[]): Settings | string {
  const options = {
    seeds: { type: 'string', default: '1..1000' },
    topology: { type: 'string' },
    endings: { type: 'boolean', default: false },
  } as const;
  let values: { readonly seeds: string; readonly topology?: string; readonly endings: boolean };
  try {
    values = parseArgs({ args, options }).values;
  } catch (error) {
    return (error as Error).message;
  }
  const [, first, last = first] = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(values.seeds) ?? [];
  if (first === undefined || Number(last) < Number(first)) return `--seeds ${values.seeds}: 1..1000, or one seed.`;
  const topology = topologies.find((name) => name === values.topology);
  if (values.topology !== undefined && topology === undefined)
    return `--topology ${values.topology}: one of ${topologies.join(', ')}.`;
  return { first: Number(first), last: Number(last), topology, draw: values.endings ? drawEnding : drawPlan };
}

/** @returns the exit code: 1 where a schedule did not end as it has to, 2 where the arguments are none */
export async function main(args: string[]): Promise<number> {
  const settings = readArguments(args);
  if (typeof settings === 'string') {
    console.error(`schedules: ${settings}\n${USAGE}`);
    return 2;
  }
  const { first, last, topology, draw } = settings;
  const isTold = first === last;
  let failed = 0;
  let simulatedMs = 0;
  for (let seed = first; seed <= last; seed++) {
    const plan = draw(seed, topology);
    if (isTold) console.log(JSON.stringify(plan, undefined, 1));
    const outcome = await runSchedule(plan, { isTold });
    simulatedMs += outcome.simulatedMs;
    for (const line of outcome.lines) console.log(line);
    if (outcome.fault === undefined) continue;
    failed++;
    console.log(`seed ${seed}: ${outcome.fault.split('\n')[0]}`);
  }
  const hours = fixed(simulatedMs / 3_600_000, 2);
  console.log(`${last - first + 1} schedules, ${hours} simulated hours; ${failed} did not end as they have to`);
  return failed === 0 ? 0 : 1;
}
