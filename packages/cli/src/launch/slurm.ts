/** Slurm's srun (srun(1), "OUTPUT ENVIRONMENT VARIABLES"). Rank 0 runs on the first machine of the step. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LockstepError } from '@lockstep/core/errors';
import { expandNodeList } from './node-list.js';
import { type Environment, type Launcher, portOfJob } from './place.js';
import { own, readText, readWhole, readWholeIfSet, variableError } from './variables.js';

const CONTEXT = "Slurm's SLURM_JOB_ID is set";
/** Steps of a job that run at the same time get ports that are apart by this. */
const STEP_STRIDE = 61;

export const slurm: Launcher = {
  name: 'slurm',
  title: 'Slurm',
  signs: ['SLURM_JOB_ID'],
  isPresent: (env) => env['SLURM_JOB_ID'] !== undefined,
  readPlace(env) {
    checkStep(env);
    const rank = readWhole(env, CONTEXT, own('RANK'), 'SLURM_PROCID');
    const host = expandNodeList(readText(env, CONTEXT, 'SLURM_STEP_NODELIST', 'SLURM_JOB_NODELIST'))[0] as string;
    checkFirstMachine(env, rank, host);
    const localSize = readWholeIfSet(env, own('LOCAL_SIZE')) ?? readTasksHere(env);
    const step = readWholeIfSet(env, 'SLURM_STEP_ID', 'SLURM_STEPID') ?? 0;
    return {
      rank,
      size: readWhole(env, CONTEXT, own('SIZE'), 'SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'),
      localRank: readWhole(env, CONTEXT, own('LOCAL_RANK'), 'SLURM_LOCALID'),
      localSize,
      host,
      port: portOfJob(readWhole(env, CONTEXT, 'SLURM_JOB_ID') + STEP_STRIDE * step),
      cores: readWholeIfSet(env, 'SLURM_CPUS_PER_TASK') ?? shareCores(env, localSize),
      restarts: readWholeIfSet(env, 'SLURM_RESTART_COUNT'),
      note: noteComponents(env),
    };
  },
  addressHint: 'Set LOCKSTEP_COORDINATOR=host:port, with the first machine of SLURM_STEP_NODELIST.',
  findAddress,
};

/** The batch script itself is rank 0 of nobody: sbatch gives it the variables of a task all the same. */
function checkStep(env: Environment): void {
  if (env['SLURM_STEP_ID'] !== undefined || env['SLURM_STEPID'] !== undefined) return;
  if (env[own('RANK')] !== undefined) return;
  throw variableError(
    `${CONTEXT}, but SLURM_STEP_ID is not: this is no task of a step. Put srun before lockstep launch.`,
  );
}

/** A plain srun in a heterogeneous job (Slurm's heterogeneous_jobs.html) starts tasks of its first component alone. */
function noteComponents(env: Environment): string | undefined {
  const components = readWholeIfSet(env, 'SLURM_HET_SIZE') ?? 1;
  const counts = Array.from(
    { length: components },
    (_, component) => readWholeIfSet(env, `SLURM_NTASKS_HET_GROUP_${component}`) ?? 0,
  );
  const all = counts.reduce((sum, count) => sum + count, 0);
  const here = readWholeIfSet(env, 'SLURM_STEP_NUM_TASKS') ?? all;
  if (components === 1 || here >= all) return undefined;
  const numbers = counts.map((_, component) => component).join(',');
  return `the job has ${components} components with ${all} tasks (SLURM_HET_SIZE), and this step runs ${here} of them. For all: srun --het-group=${numbers} ...`;
}

/** With --distribution=arbitrary and the like, rank 0 can be elsewhere. */
function checkFirstMachine(env: Environment, rank: number, host: string): void {
  const here = env['SLURMD_NODENAME'];
  if (rank !== 0 || here === undefined || here === host || env[own('COORDINATOR')] !== undefined) return;
  throw new LockstepError(
    'LOCKSTEP_LAUNCH_ADDRESS',
    `rank 0 runs on ${here}, and the first machine of the step is ${host}, where the others look for it. Set LOCKSTEP_COORDINATOR=${here}:port.`,
  );
}

/** `SLURM_STEP_TASKS_PER_NODE` is `2(x3),1`: two tasks on each of the first three machines, one on the next. */
function readTasksHere(env: Environment): number {
  const text = readText(env, CONTEXT, 'SLURM_STEP_TASKS_PER_NODE', 'SLURM_TASKS_PER_NODE');
  const counts = text.split(',').flatMap((part) => {
    const [, tasks, times = '1'] = /^(\d{1,6})(?:\(x(\d{1,6})\))?$/.exec(part.trim()) ?? [];
    if (tasks === undefined)
      throw variableError(`SLURM_STEP_TASKS_PER_NODE is ${JSON.stringify(text)}, and must be such as 2(x3),1.`);
    return new Array<number>(Number(times)).fill(Number(tasks));
  });
  return counts[readWhole(env, CONTEXT, 'SLURM_NODEID')] ?? 1;
}

/** Of the cores that the job has on this machine, which no binding may keep it to. */
function shareCores(env: Environment, localSize: number): number | undefined {
  const cores = readWholeIfSet(env, 'SLURM_CPUS_ON_NODE');
  return cores === undefined ? undefined : Math.max(1, Math.floor(cores / localSize));
}

const RUN_MS = 10_000;

/** Node names need not be host names: slurm.conf's NodeAddr says where they are. */
async function findAddress(host: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('scontrol', ['--oneliner', 'show', 'node', host], { timeout: RUN_MS });
    return /\bNodeAddr=(\S+)/.exec(stdout)?.[1];
  } catch {
    // No scontrol on this machine, or no answer: the name is all there is.
    return undefined;
  }
}
