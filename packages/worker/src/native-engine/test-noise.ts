/** The native engine against the float64 reference on shards of noise. */
import { inferLayers } from '@lockstep/core/model';
import { type ModelSpec, parseModelSpec } from '@lockstep/core/spec';
import type { ShardDraw } from '../reference/random-models.js';
import { drawRandomShard, NOISE_NORMALIZATION } from '../reference/random-shard.js';
import {
  compareStep,
  median,
  type TensorError,
  TOLERANCE,
  worstError,
  worstExcess,
  worstRounding,
} from './test-comparison.js';
import { withExactDropout } from './test-harness.js';

export interface NoiseStep {
  readonly model: ModelSpec;
  readonly draw: ShardDraw;
  readonly shardSize: number;
  /** As for `compareStep`. */
  readonly isas?: readonly string[];
}

/** @param roundingSeeds as for `compareStep` */
export function compareNoise(
  { model, draw, shardSize, isas }: NoiseStep,
  roundingSeeds: readonly number[] = [],
): TensorError[] {
  const { parameters, buffers, images, labels } = drawRandomShard(inferLayers(model), draw);
  const noise = { parameters, buffers, images, labels, samples: draw.sampleCount, normalization: NOISE_NORMALIZATION };
  return compareStep({ model, ...noise, shardSize, ...(isas !== undefined && { isas }) }, roundingSeeds);
}

/** Rounding that moves a gradient by this share of its largest value leaves nothing to compare in float32. */
const ILL_CONDITIONED = 0.01;

export interface Verdict {
  /** The errors of a model that is wrong beyond rounding; none if it is not. */
  readonly wrong: TensorError[][];
  /** Whether float32 can say nothing of this model: a batch norm over equal values divides rounding by next to nothing. */
  readonly isUnjudged: boolean;
}

const RIGHT: Verdict = { wrong: [], isUnjudged: false };

/** Runs of which more than half decide. */
const RUNS = 5;

/**
 * Judges a model's gradients. It is right if they are on the first shards. Else the median of five runs decides, where
 * rounding between layers may excuse an error: a ReLU or a pool that rounding decides is a real difference.
 */
export function judge(step: NoiseStep): Verdict {
  const exact = { ...step, model: withExactDropout(parseModelSpec(step.model)) };
  if (worstError(compareNoise(exact)) < TOLERANCE) return RIGHT;
  const { seed } = step.draw;
  const runs: TensorError[][] = [];
  for (let i = 0; i < RUNS; i++) {
    const draw = { ...step.draw, seed: seed + i };
    runs.push(compareNoise({ ...exact, draw }, [seed, seed + 1, seed + 2]));
    if (runs.filter((errors) => worstExcess(errors) < 1).length > RUNS / 2) return RIGHT;
  }
  if (median(runs.map(worstRounding)) < ILL_CONDITIONED) return { wrong: runs, isUnjudged: false };
  return { wrong: [], isUnjudged: true };
}
