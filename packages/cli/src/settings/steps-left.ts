/** Whether a run that goes on from a checkpoint has anything to do. */
import { stepsPerEpoch } from '@lockstep/core/run';
import type { Recipe } from '@lockstep/core/spec';
import type { FoundCheckpoint } from '@lockstep/core/state';
import { countOf } from '@lockstep/core/text';

/** A line on why a resumed run has no step left to do; none where there are steps left. */
export function noteNothingLeft(
  { epochs, batchSize }: Recipe,
  resume: FoundCheckpoint | undefined,
  steps?: unknown,
): string[] {
  if (resume === undefined) return [];
  const { step, dataset } = resume.checkpoint.info;
  if (step >= epochs * stepsPerEpoch(dataset.trainSamples, batchSize)) {
    return [
      `the checkpoint is of the run's last step, ${step}, after ${countOf(epochs, 'epoch')}: no step is left. \`lockstep train --weights FILE\` begins a new run with its weights`,
    ];
  }
  if (typeof steps !== 'number' || step < steps) return [];
  return [`the checkpoint is of step ${step}, and --steps ${steps} counts from the start of the run: no step is left`];
}
