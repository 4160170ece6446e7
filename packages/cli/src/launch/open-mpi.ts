/**
 * Open MPI's mpirun. Rank 0's machine is in no variable. Version 4 tells where mpirun itself runs
 * (`OMPI_MCA_orte_hnp_uri`), which mostly is rank 0's machine too; rank 0 sees whether it is. Version 5 tells nothing:
 * `PMIX_SERVER_URI` names the daemon of each process's own machine.
 */
import type { Environment, Launcher } from './place.js';
import { DEFAULT_PORT, portOfJob } from './place.js';
import { own, readWhole } from './variables.js';

export const openMpi: Launcher = {
  name: 'openmpi',
  title: 'Open MPI',
  signs: ['OMPI_COMM_WORLD_RANK'],
  isPresent: (env) => env['OMPI_COMM_WORLD_RANK'] !== undefined,
  readPlace(env) {
    const context = "Open MPI's OMPI_COMM_WORLD_RANK is set";
    return {
      rank: readWhole(env, context, own('RANK'), 'OMPI_COMM_WORLD_RANK'),
      size: readWhole(env, context, own('SIZE'), 'OMPI_COMM_WORLD_SIZE'),
      localRank: readWhole(env, context, own('LOCAL_RANK'), 'OMPI_COMM_WORLD_LOCAL_RANK'),
      localSize: readWhole(env, context, own('LOCAL_SIZE'), 'OMPI_COMM_WORLD_LOCAL_SIZE'),
      host: readLauncherHost(env['OMPI_MCA_orte_hnp_uri']),
      port: readPort(env),
      isBound: env['OMPI_MCA_orte_bound_at_launch'] === '1',
    };
  },
  isHostGuessed: true,
  addressHint:
    'mpirun does not say where rank 0 runs. Say it: mpirun -x LOCKSTEP_COORDINATOR=host:port ..., with the first machine of the hostfile, or start mpirun on that machine (Open MPI 4).',
};

/** `743309312.0;tcp://10.0.0.5,10.1.0.5:49455;tcp6://[fd00::2]:59715`: the first address. */
function readLauncherHost(uri: string | undefined): string | undefined {
  const match = /tcp:\/\/([^,:]+)|tcp6:\/\/\[?([0-9a-f:]+)/.exec(uri ?? '');
  return match?.[1] ?? match?.[2];
}

/** The job's number in version 4 is a multiple of 4,096 plus the number of the step; in 5 it ends the namespace. */
function readPort(env: Environment): number {
  const job = /^(\d+)\./.exec(env['OMPI_MCA_orte_hnp_uri'] ?? '')?.[1];
  if (job !== undefined) return portOfJob(Math.floor(Number(job) / 4096));
  const launched = /-(\d+)@\d+$/.exec(env['PMIX_NAMESPACE'] ?? '')?.[1];
  return launched === undefined ? DEFAULT_PORT : portOfJob(Number(launched));
}
