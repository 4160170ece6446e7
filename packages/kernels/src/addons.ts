/** The native kernels: one addon per instruction set, compiled on this machine. */
import { createRequire } from 'node:module';
import { describeNoBuild, findBuild, ISAS, type Isa, isWasm } from './builds.js';
import type { NativeKernels } from './calls.js';

/** The addon's functions; see packages/kernels/native/binding.cc. */
export interface Addon extends Omit<NativeKernels, 'memory'> {
  /** The builds that this processor can run. */
  features(): Isa[];
  /** Bytes to skip until an address is a multiple of 64. */
  alignment(bytes: Uint8Array): number;
}

const require = createRequire(import.meta.url);
const loaded = new Map<Isa, Addon>();
const runnable = new Set<Isa>();

/** The build that asks least of the processor: every processor of its platform can run it, and ask it what else runs. */
const findPlainest = (): Isa | undefined => ISAS.findLast((isa) => !isWasm(isa) && findBuild(isa));

/** Whether the build is there, and this processor can run it. One that is not there is looked for again: it may be compiled while a run goes on. */
export function hasAddon(isa: Isa): boolean {
  if (runnable.has(isa)) return true;
  const plainest = findPlainest();
  const has = plainest !== undefined && loadAddon(plainest).features().includes(isa) && findBuild(isa) !== undefined;
  if (has) runnable.add(isa);
  return has;
}

/** Loads a build that is there, once in each thread. */
export function loadAddon(isa: Isa): Addon {
  const known = loaded.get(isa);
  if (known) return known;
  const path = findBuild(isa);
  if (path === undefined) throw new Error(describeNoBuild());
  const addon = require(path) as Addon;
  loaded.set(isa, addon);
  return addon;
}
