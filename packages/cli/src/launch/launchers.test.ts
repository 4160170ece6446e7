import { describe, expect, it } from 'vitest';
import { findFirstPod } from './kubernetes.js';
import { findLauncher, launchers } from './launchers.js';
import type { Environment } from './place.js';

/** As the launchers set them; what does not matter here is left out. */
const environments = {
  explicit: { LOCKSTEP_RANK: '1', LOCKSTEP_SIZE: '3' },
  torchrun: {
    RANK: '1',
    WORLD_SIZE: '3',
    MASTER_ADDR: '10.0.0.5',
    MASTER_PORT: '29500',
    LOCAL_RANK: '1',
    LOCAL_WORLD_SIZE: '2',
    TORCHELASTIC_RESTART_COUNT: '2',
    TORCHELASTIC_USE_AGENT_STORE: 'True',
  },
  openmpi: {
    OMPI_COMM_WORLD_RANK: '1',
    OMPI_COMM_WORLD_SIZE: '3',
    OMPI_COMM_WORLD_LOCAL_RANK: '1',
    OMPI_COMM_WORLD_LOCAL_SIZE: '2',
    OMPI_MCA_orte_hnp_uri: '743309312.0;tcp://10.0.0.5,10.1.0.5:49455;tcp6://[fd00::2]:59715',
    OMPI_MCA_orte_bound_at_launch: '1',
  },
  hydra: { PMI_RANK: '1', PMI_SIZE: '3', MPI_LOCALRANKID: '1', MPI_LOCALNRANKS: '2' },
  slurm: {
    SLURM_JOB_ID: '5000',
    SLURM_STEP_ID: '2',
    SLURM_STEP_NODELIST: 'n[08-09]',
    SLURM_STEP_NUM_TASKS: '3',
    SLURM_STEP_TASKS_PER_NODE: '2,1',
    SLURM_PROCID: '1',
    SLURM_LOCALID: '1',
    SLURM_NODEID: '0',
    SLURM_CPUS_PER_TASK: '4',
    SLURM_RESTART_COUNT: '1',
  },
  pmi: { PMIX_RANK: '1', LOCKSTEP_SIZE: '3' },
  kubernetes: {
    JOB_COMPLETION_INDEX: '1',
    HOSTNAME: 'train-1',
    LOCKSTEP_SIZE: '3',
    LOCKSTEP_SERVICE: 'train-pods',
  },
} satisfies Record<string, Environment>;

const without = (env: Environment, name: string): Environment => ({ ...env, [name]: undefined });

it('has an environment for every launcher', () => {
  expect(Object.keys(environments)).toEqual(launchers.map(({ name }) => name));
});

describe.each(Object.entries(environments))('%s', (name, env: Environment) => {
  it('is found by its variables, and is rank 1 of 3', () => {
    const launcher = findLauncher(env, undefined);
    expect(launcher.name).toBe(name);
    expect(launcher.readPlace(env)).toMatchObject({ rank: 1, size: 3 });
  });

  it.each(Object.keys(env))('without %s it is another, does without, or names it', (variable) => {
    const rest = without(env, variable);
    const launcher = launchers.find(({ isPresent }) => isPresent(rest));
    let outcome: unknown;
    try {
      outcome = launcher?.name === name ? launcher.readPlace(rest).size : 'another';
    } catch (error) {
      outcome = error;
    }
    const message = expect.stringContaining(variable);
    const namesIt = expect.objectContaining({ code: 'LOCKSTEP_LAUNCH_VARIABLE', message });
    expect([3, 'another', namesIt]).toContainEqual(outcome);
  });
});

it.each([
  ['explicit', 'LOCKSTEP_SIZE'],
  ['torchrun', 'MASTER_PORT'],
  ['openmpi', 'OMPI_COMM_WORLD_SIZE'],
  ['openmpi', 'OMPI_COMM_WORLD_LOCAL_RANK'],
  ['openmpi', 'OMPI_COMM_WORLD_LOCAL_SIZE'],
  ['hydra', 'PMI_SIZE'],
  ['slurm', 'SLURM_PROCID'],
  ['slurm', 'SLURM_STEP_NUM_TASKS'],
  ['slurm', 'SLURM_STEP_NODELIST'],
  ['slurm', 'SLURM_STEP_ID'],
  ['slurm', 'SLURM_LOCALID'],
  ['slurm', 'SLURM_NODEID'],
  ['pmi', 'LOCKSTEP_SIZE'],
  ['kubernetes', 'LOCKSTEP_SIZE'],
  ['kubernetes', 'HOSTNAME'],
  ['kubernetes', 'LOCKSTEP_SERVICE'],
] as const)('%s without %s is an error that names it', (name, variable) => {
  const env = without(environments[name], variable);
  expect(() => findLauncher(env, name).readPlace(env)).toThrow(
    expect.objectContaining({ code: 'LOCKSTEP_LAUNCH_VARIABLE', message: expect.stringContaining(variable) }),
  );
});

it.each([
  ['slurm', 'SLURM_PROCID', 'two'],
  ['slurm', 'SLURM_STEP_TASKS_PER_NODE', '2(x'],
  ['openmpi', 'OMPI_COMM_WORLD_RANK', '-1'],
  ['torchrun', 'MASTER_PORT', '29500.5'],
] as const)('%s with %s=%s is an error that shows both', (name, variable, value) => {
  const env = { ...environments[name], [variable]: value };
  expect(() => findLauncher(env, name).readPlace(env)).toThrow(
    expect.objectContaining({
      code: 'LOCKSTEP_LAUNCH_VARIABLE',
      message: expect.stringMatching(new RegExp(`${variable}.*${value.replace('(', '\\(')}`)),
    }),
  );
});

describe('cases: peers 29: where processes have a LOCAL_RANK', () => {
  const deepSpeed = without(environments.torchrun, 'LOCAL_WORLD_SIZE');
  it('reads their number on the machine from LOCAL_SIZE, as DeepSpeed and Azure ML say it', () => {
    expect(findLauncher(deepSpeed, undefined).readPlace({ ...deepSpeed, LOCAL_SIZE: '2' })).toMatchObject({
      localRank: 1,
      localSize: 2,
    });
  });

  it.each(['0', '1'])('and no number (LOCAL_RANK=%s), names LOCKSTEP_LOCAL_SIZE, which says it', (rank) => {
    const env = { ...deepSpeed, LOCAL_RANK: rank };
    expect(() => findLauncher(env, undefined).readPlace(env)).toThrow(
      expect.objectContaining({
        code: 'LOCKSTEP_LAUNCH_VARIABLE',
        message: expect.stringContaining('LOCKSTEP_LOCAL_SIZE'),
      }),
    );
    expect(findLauncher(env, undefined).readPlace({ ...env, LOCKSTEP_LOCAL_SIZE: '2' }).localSize).toBe(2);
  });
});

describe('cases: peers 33: in a heterogeneous job of Slurm', () => {
  const job = {
    ...environments.slurm,
    SLURM_HET_SIZE: '2',
    SLURM_NTASKS_HET_GROUP_0: '3',
    SLURM_NTASKS_HET_GROUP_1: '2',
  };
  it('a step of the first component alone is told, with the flag that takes all', () => {
    expect(findLauncher(job, undefined).readPlace(job).note).toBe(
      'the job has 2 components with 5 tasks (SLURM_HET_SIZE), and this step runs 3 of them. For all: srun --het-group=0,1 ...',
    );
  });

  it('a step of all components is not', () => {
    const all = { ...job, SLURM_STEP_NUM_TASKS: '5' };
    expect(findLauncher(all, undefined).readPlace(all).note).toBeUndefined();
  });
});

it('says what it looked for when there is no launcher', () => {
  expect(() => findLauncher({}, undefined)).toThrow(
    expect.objectContaining({ code: 'LOCKSTEP_LAUNCH_NONE', message: expect.stringContaining('SLURM_JOB_ID') }),
  );
});

describe('of two launchers the inner one counts', () => {
  it.each([
    ['openmpi', 'slurm'],
    ['hydra', 'slurm'],
    ['torchrun', 'slurm'],
    ['torchrun', 'kubernetes'],
    ['slurm', 'pmi'],
    ['openmpi', 'kubernetes'],
    ['explicit', 'slurm'],
  ] as const)('%s inside %s', (inner, outer) => {
    expect(findLauncher({ ...environments[outer], ...environments[inner] }, undefined).name).toBe(inner);
  });

  it('unless --launcher says otherwise', () => {
    expect(findLauncher({ ...environments.slurm, ...environments.openmpi }, 'slurm').name).toBe('slurm');
  });
});

describe('Slurm', () => {
  const read = (more: Environment) =>
    findLauncher(environments.slurm, 'slurm').readPlace({ ...environments.slurm, ...more });

  it("takes the first machine of the step's list, tasks and cores per machine, and a port from job and step", () => {
    expect(read({})).toEqual({
      rank: 1,
      size: 3,
      localRank: 1,
      localSize: 2,
      host: 'n08',
      port: 61_440 + ((5000 + 61 * 2) % 4096),
      cores: 4,
      restarts: 1,
    });
  });

  it("shares the job's cores on this machine where a task has no number of its own", () => {
    expect(read({ SLURM_CPUS_PER_TASK: undefined, SLURM_CPUS_ON_NODE: '9' }).cores).toBe(4);
  });

  it('reads repeated counts of tasks', () => {
    const more = { SLURM_STEP_TASKS_PER_NODE: '2(x3),1', SLURM_STEP_NUM_TASKS: '7' };
    expect([0, 1, 2, 3].map((node) => read({ ...more, SLURM_NODEID: String(node) }).localSize)).toEqual([2, 2, 2, 1]);
  });

  it('refuses a rank 0 that is not on the first machine', () => {
    expect(() => read({ SLURM_PROCID: '0', SLURMD_NODENAME: 'n09' })).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_LAUNCH_ADDRESS', message: expect.stringContaining('n09') }),
    );
    const given = { SLURM_PROCID: '0', SLURMD_NODENAME: 'n09', LOCKSTEP_COORDINATOR: 'n09:7400' };
    expect(read(given).rank).toBe(0);
  });
});

it('torchrun: one above MASTER_PORT when its agent listens there', () => {
  const { readPlace } = findLauncher(environments.torchrun, 'torchrun');
  expect(readPlace(environments.torchrun).port).toBe(29_501);
  expect(readPlace({ ...environments.torchrun, TORCHELASTIC_USE_AGENT_STORE: undefined }).port).toBe(29_500);
});

it.each([
  [
    '743309312.0;tcp://10.0.0.5,10.1.0.5:49455;tcp6://[fd00::2]:59715',
    '10.0.0.5',
    61_440 + ((743309312 / 4096) % 4096),
  ],
  ['4096.0;tcp6://[fe80::b9b:ac5d:9cf0:b858,2620:10d::2]:43370', 'fe80::b9b:ac5d:9cf0:b858', 61_441],
])('Open MPI: the address in %s', (uri, host, port) => {
  const { readPlace } = findLauncher(environments.openmpi, 'openmpi');
  expect(readPlace({ ...environments.openmpi, OMPI_MCA_orte_hnp_uri: uri })).toMatchObject({ host, port });
});

describe("Kubernetes: the name of index 0's pod", () => {
  const pod = { HOSTNAME: 'run-workers-0-2' };
  const hosts = '127.0.0.1 localhost\n# pod\n10.1.0.7\trun-workers-0-2.run.ns.svc.cluster.local\trun-workers-0-2\n';

  it.each([
    ['LOCKSTEP_SERVICE', { ...pod, LOCKSTEP_SERVICE: 'pods' }, '', 'run-workers-0-0.pods'],
    ['JOBSET_NAME', { ...pod, JOBSET_NAME: 'run' }, '', 'run-workers-0-0.run'],
    ['/etc/hosts', pod, hosts, 'run-workers-0-0.run.ns.svc.cluster.local'],
  ])('from %s', (_, env, text, expected) => {
    expect(findFirstPod(env, text)).toBe(expected);
  });
});
