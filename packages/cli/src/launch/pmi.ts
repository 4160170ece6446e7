/**
 * The process managers of MPICH, Intel MPI, Cray and Flux, and PMIx: they give ranks, but no address. Hydra (MPICH,
 * Intel MPI) sets MPI_LOCALRANKID and MPI_LOCALNRANKS too. PMIx has no variable for the size.
 */
import type { Environment, Launcher } from './place.js';
import { DEFAULT_PORT } from './place.js';
import { own, readWhole, readWholeIfSet } from './variables.js';

const addressHint = 'It does not say where rank 0 runs: set LOCKSTEP_COORDINATOR=host:port for every process.';

function readPlace(env: Environment, context: string) {
  return {
    rank: readWhole(env, context, own('RANK'), 'PMI_RANK', 'PMIX_RANK'),
    size: readWhole(env, context, own('SIZE'), 'PMI_SIZE'),
    localRank: readWholeIfSet(env, own('LOCAL_RANK'), 'MPI_LOCALRANKID', 'PMI_LOCAL_RANK') ?? 0,
    localSize: readWholeIfSet(env, own('LOCAL_SIZE'), 'MPI_LOCALNRANKS', 'PMI_LOCAL_SIZE') ?? 1,
    host: undefined,
    port: DEFAULT_PORT,
  };
}

/** Apart from `pmi`, since under Slurm it starts its own processes inside srun's. */
export const hydra: Launcher = {
  name: 'hydra',
  title: 'Hydra (mpiexec of MPICH or Intel MPI)',
  signs: ['PMI_RANK', 'MPI_LOCALRANKID'],
  isPresent: (env) => env['PMI_RANK'] !== undefined && env['MPI_LOCALRANKID'] !== undefined,
  readPlace: (env) => readPlace(env, "Hydra's PMI_RANK and MPI_LOCALRANKID are set"),
  addressHint,
};

export const pmi: Launcher = {
  name: 'pmi',
  title: 'PMI or PMIx',
  signs: ['PMI_RANK', 'PMIX_RANK'],
  isPresent: (env) => env['PMI_RANK'] !== undefined || env['PMIX_RANK'] !== undefined,
  readPlace: (env) => readPlace(env, 'PMI_RANK or PMIX_RANK is set'),
  addressHint,
};
