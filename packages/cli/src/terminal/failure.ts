/** What a failure looks like to a person, and which exit code it has. */
import { LockstepError } from '@lockstep/core/errors';
import { plainText } from '@lockstep/core/text';
import type { Io } from './io.js';

export const EXIT_FAILED = 1;
export const EXIT_BAD_INPUT = 2;

export const exitCodeOf = (error: unknown): number => (error instanceof LockstepError ? EXIT_BAD_INPUT : EXIT_FAILED);

/** `lockstep: CODE: text` in one line; with LOCKSTEP_DEBUG=1 the stack and its causes below it. */
export function describeError(error: unknown, env: Io['env']): string {
  const line = `lockstep: ${describeInOneLine(error)}`;
  if (env['LOCKSTEP_DEBUG'] === '1') return `${line}\n${listStacks(error).join('\n')}`;
  return error instanceof LockstepError ? line : `${line} (LOCKSTEP_DEBUG=1 shows where)`;
}

function describeInOneLine(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return plainText(text.replace(/\s*\n\s*/g, ' '));
}

function listStacks(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return [error.stack ?? error.message, ...listStacks(error.cause).map((stack) => `caused by ${stack}`)];
}
