/** Whether a run has led anywhere: where its loss or what it has learned is not finite, it ends with an error and keeps nothing. */
import type { ModelState } from '@lockstep/core/run';
import { areFinite, divergedError } from '@lockstep/core/seams';
import { countOf } from '@lockstep/core/text';
import type { Evaluated } from './evaluation.js';

/** How far a run is: after this many steps. */
export interface Progress {
  readonly step: number;
  readonly epochSteps: number;
}

/** @throws LockstepError LOCKSTEP_LOSS_NOT_FINITE for a run whose last step has led nowhere */
export function checkLoss({ test }: Evaluated, progress: Progress): void {
  if (test.total > 0 && !Number.isFinite(test.loss)) throw divergedAt('the test loss', progress);
}

/** @throws LockstepError LOCKSTEP_LOSS_NOT_FINITE when what was learned holds an infinite value or NaN */
export function checkVectors(vectors: readonly (Float32Array | undefined)[], progress: Progress): void {
  const there = vectors.filter((vector) => vector !== undefined);
  if (!areFinite(there)) throw divergedAt('a parameter', progress);
}

export const vectorsOf = (state: ModelState | undefined): Float32Array[] =>
  state === undefined ? [] : [...state.parameters, ...state.buffers];

/** Names the epoch of the step before this one. */
const divergedAt = (what: string, { step, epochSteps }: Progress): Error =>
  divergedError(`${what} after ${countOf(step, 'step')}`, Math.floor(Math.max(0, step - 1) / epochSteps));
