/** A run that has diverged: it ends, since the same again comes to the same. */
import { LockstepError } from '../errors/errors.js';

const CODE = 'LOCKSTEP_LOSS_NOT_FINITE';

/**
 * @param what is no finite number: `the loss of step 12`
 * @param epoch from 0
 * @param more to be known of it: `, computed twice`
 */
export const divergedError = (what: string, epoch: number, more = ''): LockstepError =>
  new LockstepError(
    CODE,
    `${what} (epoch ${epoch + 1}) is not a finite number${more}. Try a lower --learning-rate, or --warmup-steps.`,
  );

/** Whether a run ended because it diverged. */
export const isDivergence = (error: unknown): boolean => error instanceof LockstepError && error.code === CODE;

/** Whether all values of some vectors are finite numbers. */
export const areFinite = (vectors: readonly Float32Array[]): boolean =>
  vectors.every((values) => values.every((value) => Number.isFinite(value)));
