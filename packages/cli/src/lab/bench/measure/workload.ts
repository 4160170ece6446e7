/** What is measured: a model's training step under one recipe for all, on data that makes every step alike. */
import type { Dataset, Split } from '@lockstep/core/data';
import { summarizeTotals } from '@lockstep/core/model';
import { type ModelSpec, type Recipe, recipeSchema } from '@lockstep/core/spec';

export const BENCH_BATCH = 128;
export const BENCH_SEED = 1;
/** Nodes of a model that has more are measured on a link of 1 Gbit/s alone: its gradients are what takes time. */
export const LARGE_PARAMETERS = 1_000_000;

/** One multiply-add, forward and for the two gradients, and only forward. */
const TRAINING_FLOPS_PER_MULTIPLY_ADD = 6;
const INFERENCE_FLOPS_PER_MULTIPLY_ADD = 2;

/**
 * A model's recipe for measurements: its augmentation, and the dropout of its layers, but batches of 128, Adam at 1e-3, and a constant
 * rate, so that models and frameworks are compared at one kind of step and a run may go on for as long as it takes.
 */
export function benchRecipe({ augmentation, shardSize }: Recipe): Recipe {
  return recipeSchema.parse({ batchSize: BENCH_BATCH, augmentation, shardSize });
}

export interface Workload {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly dataset: Dataset;
  readonly parameters: number;
  /** Per image, of direct convolutions. */
  readonly multiplyAdds: number;
}

/** Images of one evaluation that take about a tenth of a second on a fast core: enough to share, not a long wait. */
const INFERENCE_FLOPS = 1e10;
/** What evaluations are handed out in; a multiple for every worker, so that none is left with the rest. */
const EVALUATION_CHUNK = 256;

/** Prepares a model's workload; training images are cut to whole batches. */
export function planWorkload(model: ModelSpec, recipe: Recipe, dataset: Dataset, mostWorkers: number): Workload {
  const { parameters, multAdds } = summarizeTotals(model);
  const unit = EVALUATION_CHUNK * mostWorkers;
  const wanted = Math.max(1, Math.floor(INFERENCE_FLOPS / (INFERENCE_FLOPS_PER_MULTIPLY_ADD * multAdds) / unit)) * unit;
  const trainCount = dataset.train.count - (dataset.train.count % BENCH_BATCH);
  return {
    model,
    recipe: benchRecipe(recipe),
    dataset: {
      ...dataset,
      train: cutSplit(dataset.train, trainCount),
      test: cutSplit(dataset.test, Math.min(wanted, dataset.test.count)),
    },
    parameters,
    multiplyAdds: multAdds,
  };
}

function cutSplit({ images, labels, count }: Split, to: number): Split {
  return { count: to, images: images.subarray(0, (images.length / count) * to), labels: labels.subarray(0, to) };
}

export const trainingFlops = (multiplyAdds: number): number => TRAINING_FLOPS_PER_MULTIPLY_ADD * multiplyAdds;
export const inferenceFlops = (multiplyAdds: number): number => INFERENCE_FLOPS_PER_MULTIPLY_ADD * multiplyAdds;
