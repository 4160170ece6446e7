/** `npm run schedules -- --seeds 1..N`: lets schedules happen; of one that does not end as it has to, the seed is told. */
import './environment.js';
import { parseArgs } from 'node:util';
import { type Topology, topologies } from '@lockstep/coordinator/steps';
import { formatCount, formatCountOf, formatDuration } from '@lockstep/core/text';
import { type PlanKind, planKinds } from './schedule/plan.js';
import { runSchedule } from './schedule/run-schedule.js';
import { Soak } from './soak/soak.js';

const USAGE = `npm run schedules -- [--seeds 1..1000] [--topology ${topologies.join('|')}] [--endings | --liars] [--processes 1]
of one seed: step by step; --endings: nodes come and lose their connections at the end of the run;
--liars: one or two of four nodes lie`;
const PROGRESS_MS = 60_000;
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

interface Settings {
  readonly first: number;
  readonly last: number;
  readonly topology: Topology | undefined;
  readonly kind: PlanKind;
  readonly processes: number;
}

/** A sentence where something is wrong. */
function readArguments(args: string[]): Settings | string {
  const options = {
    seeds: { type: 'string', default: '1..1000' },
    topology: { type: 'string' },
    endings: { type: 'boolean', default: false },
    liars: { type: 'boolean', default: false },
    processes: { type: 'string', default: '1' },
  } as const;
  let values: {
    readonly seeds: string;
    readonly topology?: string;
    readonly endings: boolean;
    readonly liars: boolean;
    readonly processes: string;
  };
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
  if (values.endings && values.liars) return '--endings and --liars: one of both.';
  if (!/^[1-9]\d{0,2}$/.test(values.processes)) return `--processes ${values.processes}: a number from 1 to 999.`;
  return {
    first: Number(first),
    last: Number(last),
    topology,
    kind: values.liars ? 'liars' : values.endings ? 'endings' : 'any',
    processes: Number(values.processes),
  };
}

/** @returns the exit code: 1 where a schedule did not end as it has to, 2 where the arguments are none */
export async function main(args: string[]): Promise<number> {
  const settings = readArguments(args);
  if (typeof settings === 'string') {
    console.error(`schedules: ${settings}\n${USAGE}`);
    return 2;
  }
  return settings.first === settings.last ? replay(settings) : soak(settings);
}

/** One schedule, step by step. */
async function replay({ first: seed, topology, kind }: Settings): Promise<number> {
  const plan = planKinds[kind](seed, topology);
  console.log(JSON.stringify(plan, undefined, 1));
  const { lines, fault } = await runSchedule(plan, { isTold: true });
  for (const line of lines) console.log(line);
  console.log(fault === undefined ? `seed ${seed} ended in the bits of the calm run` : `seed ${seed}: ${fault}`);
  return fault === undefined ? 0 : 1;
}

async function soak(settings: Settings): Promise<number> {
  const ending = new AbortController();
  let signalled: keyof typeof SIGNALS | undefined;
  for (const name of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) {
    process.once(name, () => {
      signalled = name;
      ending.abort();
    });
  }
  const all = new Soak({ ...settings, signal: ending.signal, onFailure: (text) => console.log(text) });
  const total = settings.last - settings.first + 1;
  const beganMs = performance.now();
  const timer = setInterval(
    () => console.error(describeProgress(all, total, performance.now() - beganMs)),
    PROGRESS_MS,
  );
  await all.run();
  clearInterval(timer);
  const { failures, count } = all.tally;
  for (const line of all.tally.describe()) console.log(line);
  if (signalled) console.log(`it was stopped by ${signalled}: ${formatCount(total - count)} did not happen`);
  console.log(`${formatCountOf(failures.length, 'schedule')} did not end as they have to`);
  if (signalled) return SIGNALS[signalled];
  return failures.length === 0 ? 0 : 1;
}

function describeProgress({ tally }: Soak, total: number, tookMs: number): string {
  const { count, failures } = tally;
  const left = count === 0 ? '' : `, ${formatDuration(((total - count) * tookMs) / count / 1000)} to go`;
  return `${formatCount(count)} of ${formatCountOf(total, 'schedule')}, ${formatCount(failures.length)} failed${left}`;
}
