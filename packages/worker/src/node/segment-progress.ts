/** How far an epoch has come, from what its steps have noted. */
import { samplesInStep } from '@lockstep/core/run';
import type { RunIdentity, SegmentProgress } from '@lockstep/core/seams';

/**
 * @param results [step of the epoch][loss sum, correct count]
 * @param committed steps of the run
 * @param steps of the epoch among them
 */
export function sumProgress(
  results: Float32Array,
  committed: number,
  steps: number,
  { recipe: { batchSize }, dataset }: Pick<RunIdentity, 'recipe' | 'dataset'>,
): SegmentProgress {
  let lossSum = 0;
  let correct = 0;
  for (let step = 0; step < steps; step++) {
    lossSum += results[2 * step] as number;
    correct += results[2 * step + 1] as number;
  }
  const { count } = dataset.train;
  const samples = Math.min(count, steps * batchSize);
  const last = steps > 0 ? (results[2 * (steps - 1)] as number) / samplesInStep(steps - 1, count, batchSize) : 0;
  return { committed, stepLoss: last, lossSum, correct, samples };
}
