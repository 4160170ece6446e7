/** Writes the files of exports and pictures. */
import { LockstepError } from '@lockstep/core/errors';
import { writeFileAtomically } from '@lockstep/core/files';

/**
 * Writes a file atomically: nothing is left of it when that fails.
 *
 * @throws LockstepError LOCKSTEP_OUTPUT_WRITE
 */
export function writeExport(path: string, content: Uint8Array | string): void {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  try {
    writeFileAtomically(path, [bytes]);
  } catch (error) {
    throw new LockstepError(
      'LOCKSTEP_OUTPUT_WRITE',
      `cannot write ${path}: ${(error as Error).message}. Is the folder there, writable and not full?`,
      { cause: error },
    );
  }
}
