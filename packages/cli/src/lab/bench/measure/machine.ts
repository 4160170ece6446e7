/** Where and when a measurement was taken. */

import { execFileSync } from 'node:child_process';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findUsableCores } from '@lockstep/core/machine';
import { countOf } from '@lockstep/core/text';
import { findIsa, hasSources, type KernelChoice } from '@lockstep/kernels';
import { withKernelCodes } from '@lockstep/worker/node';

export interface Machine {
  readonly processor: string;
  /** Cores that this process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** The build of the kernels. */
  readonly isa: string;
}

export interface Occasion {
  readonly machine: Machine;
  /** ISO 8601. */
  readonly date: string;
  /** `git describe` of the checkout that ran; absent for an installed package. */
  readonly commit?: string;
}

/**
 * Describes this machine and moment.
 *
 * @param choice of the kernels that are measured
 * @throws LockstepError LOCKSTEP_KERNELS when there are none of these
 */
export function describeOccasion(choice?: KernelChoice): Occasion {
  const commit = describeCommit();
  return {
    machine: {
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      cores: findUsableCores().count,
      memoryBytes: totalmem(),
      system: `${platform()} ${release()} ${arch()}`,
      node: process.version,
      isa: withKernelCodes(() => findIsa(choice)),
    },
    date: new Date().toISOString(),
    ...(commit !== undefined && { commit }),
  };
}

/** Of a clone; a package may lie in the repository of somebody else. */
function describeCommit(): string | undefined {
  if (!hasSources()) return undefined;
  try {
    const cwd = fileURLToPath(new URL('.', import.meta.url));
    const args = ['describe', '--always', '--dirty', '--exclude=*'];
    return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** `AMD EPYC, 2 cores, avx512, Node v22.11.0, linux 6.1.0 x64; 2026-11-21, commit 5b95706`. */
export function formatOccasion({ machine, date, commit }: Occasion): string {
  const { processor, cores, isa, node, system } = machine;
  const when = `${date.slice(0, 10)}${commit === undefined ? '' : `, commit ${commit}`}`;
  return `${processor}, ${countOf(cores, 'core')}, ${isa}, Node ${node}, ${system}; ${when}`;
}
