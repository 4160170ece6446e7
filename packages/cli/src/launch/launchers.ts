/** Every launcher that `lockstep launch` knows, and which of them has started this process. */
import { LockstepError } from '@lockstep/core/errors';
import { explicit } from './explicit.js';
import { kubernetes } from './kubernetes.js';
import { openMpi } from './open-mpi.js';
import type { Environment, Launcher } from './place.js';
import { hydra, pmi } from './pmi.js';
import { slurm } from './slurm.js';
import { torchrun } from './torchrun.js';

/**
 * Ours first; then the inner ones before those around them: mpirun in a Slurm job, torchrun in a pod. An outer launcher's
 * variables are inherited, and their ranks are not those of the processes that the inner one has started.
 */
export const launchers: readonly Launcher[] = [explicit, torchrun, openMpi, hydra, slurm, pmi, kubernetes];

export const launcherNames: readonly string[] = launchers.map(({ name }) => name);

/**
 * @param name of `--launcher`; undefined takes the first one that is there
 * @throws LockstepError LOCKSTEP_LAUNCH_NONE
 */
export function findLauncher(env: Environment, name: string | undefined): Launcher {
  const found = launchers.find((launcher) => (name === undefined ? launcher.isPresent(env) : launcher.name === name));
  if (found !== undefined) return found;
  const signs = [...new Set(launchers.map(({ signs: [sign] }) => sign))].join(', ');
  throw new LockstepError(
    'LOCKSTEP_LAUNCH_NONE',
    `nothing in the environment says who started this process: none of ${signs} is set. Start it with srun, mpirun or the like, set LOCKSTEP_RANK, LOCKSTEP_SIZE and LOCKSTEP_COORDINATOR, or use lockstep train on one machine.`,
  );
}
