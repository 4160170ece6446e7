/** Reads the variables that launchers set; what is missing or wrong is told by its name. */

import { LockstepError } from '@lockstep/core/errors';
import { nounOf } from '@lockstep/core/text';
import type { Environment } from './place.js';

/** `LOCKSTEP_RANK`: ours, which come before any launcher's. */
export const own = (name: string): string => `LOCKSTEP_${name}`;

/** The first of these variables that is set. */
export function findVariable(env: Environment, ...names: readonly string[]): string | undefined {
  return names.find((name) => env[name] !== undefined && env[name] !== '');
}

/**
 * The text of the first of these variables that is set.
 *
 * @param context why it is needed: `Slurm was found`
 * @throws LockstepError LOCKSTEP_LAUNCH_VARIABLE when none is
 */
export function readText(env: Environment, context: string, ...names: readonly string[]): string {
  const name = findVariable(env, ...names);
  if (name !== undefined) return env[name] as string;
  throw variableError(`${context}, but ${names.join(', ')} ${nounOf(names.length, 'is', 'are')} not set.`);
}

/** The same as a whole number from 0. */
export function readWhole(env: Environment, context: string, ...names: readonly string[]): number {
  const text = readText(env, context, ...names);
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw variableError(
    `${findVariable(env, ...names)} is ${JSON.stringify(text)}, and must be a whole number. It comes from whatever started this process.`,
  );
}

/** As `readWhole`, undefined when none is set. */
export function readWholeIfSet(env: Environment, ...names: readonly string[]): number | undefined {
  return findVariable(env, ...names) === undefined ? undefined : readWhole(env, '', ...names);
}

export const variableError = (text: string): LockstepError => new LockstepError('LOCKSTEP_LAUNCH_VARIABLE', text);
