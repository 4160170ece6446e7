/** A process of a soak: lets the schedules happen that its parent names, one after the other, and tells what came of each. */
import '../environment.js';
import { planKinds } from '../schedule/plan.js';
import { runSchedule } from '../schedule/run-schedule.js';
import type { Portion } from './soak.js';
import type { Counted } from './tally.js';

const tell = process.send?.bind(process) as (what: Counted | 'done') => void;

async function run({ first, last, topology: only, kind }: Portion): Promise<void> {
  for (let seed = first; seed <= last; seed++) {
    const began = process.cpuUsage();
    const plan = planKinds[kind](seed, only);
    const { fault, events, simulatedMs, injected } = await runSchedule(plan);
    const { user, system } = process.cpuUsage(began);
    const { topology } = plan;
    const [line] = fault?.split('\n') ?? [];
    tell({ seed, topology, events, simulatedMs, injected, cpuMs: (user + system) / 1000, fault: line });
  }
  tell('done');
}

process.on('message', (portion: Portion) => void run(portion));
// Ctrl-C is for the parent: it tells what there is
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
