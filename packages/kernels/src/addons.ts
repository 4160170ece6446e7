/** The native kernels: one addon per instruction set, compiled on this machine. */
import { createRequire } from 'node:module';
import { describeNoBuild, findBuild, type Isa, kernelsError } from './builds.js';
import type { NativeKernels } from './calls.js';

/** The addon's functions, where it `runs`; see packages/kernels/native/binding.cc. */
export interface Addon extends Omit<NativeKernels, 'memory'> {
  /** Whether this processor can run it; see packages/kernels/native/entry.cc. */
  readonly runs: boolean;
  /** Bytes to skip until an address is a multiple of 64. */
  alignment(bytes: Uint8Array): number;
}

const require = createRequire(import.meta.url);
const loaded = new Map<Isa, Addon>();

/** Whether the build is there, and this processor can run it. One that is not there is looked for again: it may be compiled while a run goes on. */
export const hasAddon = (isa: Isa): boolean =>
  loaded.get(isa)?.runs ?? (findBuild(isa) !== undefined && loadAddon(isa).runs);

/** Loads a build that is there, once in each thread. */
export function loadAddon(isa: Isa): Addon {
  const known = loaded.get(isa);
  if (known) return known;
  const path = findBuild(isa);
  if (path === undefined) throw kernelsError(describeNoBuild());
  const addon = loadFile(path);
  loaded.set(isa, addon);
  return addon;
}

/** @throws Error LOCKSTEP_KERNELS when it is no addon, or a damaged one */
export function loadFile(path: string): Addon {
  try {
    return require(path) as Addon;
  } catch (error) {
    const [reason] = (error as Error).message.replace(`${path}: `, '').split('\n');
    throw kernelsError(
      `the kernels in ${path} cannot be loaded: ${reason}. Remove that file, and npm run build makes it anew (in a package: install it again); --kernels wasm trains without it`,
      error,
    );
  }
}
