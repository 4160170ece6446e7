/** What the kernels' package cannot say by a LockstepError, which it does not know: its codes are those of docs/errors.md. */
import { LockstepError } from '@lockstep/core/errors';

const CODES = ['LOCKSTEP_KERNELS', 'LOCKSTEP_WASM_MEMORY'] as const;

/** @throws LockstepError for an Error of the kernels that has such a code */
export function withKernelCodes<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const known = CODES.find((name) => name === code);
    throw known ? new LockstepError(known, message, { cause: error }) : error;
  }
}
