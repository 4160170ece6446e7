/** From runs to the rows of the table: medians over seeds, against the claim. */
import type { EpochEvent } from '@lockstep/core/events';
import { summarizeTotals } from '@lockstep/core/model';
import { median } from '../bench/measure/statistics.js';
import { trainingFlops } from '../bench/measure/workload.js';
import { type Claim, resolveClaim } from './claims.js';
import { type HashVerdict, judgeHash, type PromisedHash } from './promised-hashes.js';
import type { RunRecord } from './run-record.js';

export interface SeedResult {
  readonly seed: number;
  /** At the run's end. */
  readonly final: number;
  /** Of its best epoch within the claim's. */
  readonly best: number;
  readonly bestEpoch: number;
  /** The first epoch at the claimed accuracy or above; undefined if there is none, or no accuracy is claimed. */
  readonly reachedAt: number | undefined;
  /** At the end; undefined without held-out images. */
  readonly validation: number | undefined;
  /** Training loss of the last batch. */
  readonly lastLoss: number | undefined;
  readonly parametersSha256: string;
  readonly verdict: HashVerdict;
  readonly seconds: number;
  readonly coreSeconds: number;
  readonly joules: number | undefined;
  readonly imagesPerSecond: number;
  readonly shareOfPeak: number;
}

export interface ClaimResult {
  readonly claim: Claim;
  readonly seeds: readonly SeedResult[];
  readonly medianFinal: number;
  readonly medianBest: number;
  /** Whether more than half of the seeds reach the claim; undefined when no accuracy is claimed. */
  readonly isReached: boolean | undefined;
  readonly flopsPerImage: number;
  readonly imagesPerSecond: number;
  readonly shareOfPeak: number;
  readonly seconds: number;
  readonly coreSeconds: number;
  readonly joules: number | undefined;
}

/** What an epoch reached: the test accuracy, or the lower of test and validation where the claim is about both. */
export const accuracyOf = ({ testAccuracy, validation }: EpochEvent): number =>
  Math.min(testAccuracy, validation?.accuracy ?? 1);

/** @param records one for each seed */
export function summarizeClaim(
  claim: Claim,
  records: readonly RunRecord[],
  promises: readonly PromisedHash[],
): ClaimResult {
  const flopsPerImage = trainingFlops(summarizeTotals(resolveClaim(claim).model).multAdds);
  const seeds = records.map((record) => summarizeSeed(claim, record, flopsPerImage, promises));
  const middle = (pick: (seed: SeedResult) => number): number => median(seeds.map(pick));
  const joules = seeds.map((seed) => seed.joules).filter((value) => value !== undefined);
  return {
    claim,
    seeds,
    medianFinal: middle(({ final }) => final),
    medianBest: middle(({ best }) => best),
    isReached:
      claim.accuracy === undefined
        ? undefined
        : seeds.filter(({ reachedAt }) => reachedAt !== undefined).length > seeds.length / 2,
    flopsPerImage,
    imagesPerSecond: middle(({ imagesPerSecond }) => imagesPerSecond),
    shareOfPeak: middle(({ shareOfPeak }) => shareOfPeak),
    seconds: middle(({ seconds }) => seconds),
    coreSeconds: middle(({ coreSeconds }) => coreSeconds),
    joules: joules.length === seeds.length ? median(joules) : undefined,
  };
}

function summarizeSeed(
  claim: Claim,
  record: RunRecord,
  flopsPerImage: number,
  promises: readonly PromisedHash[],
): SeedResult {
  const within = record.epochs.filter(({ epoch }) => epoch <= claim.withinEpochs);
  const best = within.reduce((a, b) => (accuracyOf(b) > accuracyOf(a) ? b : a));
  const { accuracy } = claim;
  const reached = accuracy === undefined ? undefined : within.find((epoch) => accuracyOf(epoch) >= accuracy);
  const { end, cost, imagesPerSecond, peakGigaflops } = record;
  return {
    seed: record.seed,
    final: end.testAccuracy,
    best: accuracyOf(best),
    bestEpoch: best.epoch,
    reachedAt: reached?.epoch,
    validation: end.validation?.accuracy,
    lastLoss: record.epochs.at(-1)?.lastLoss,
    parametersSha256: end.parametersSha256,
    verdict: judgeHash(promises, promiseOf(record)),
    ...cost,
    joules: cost.joules,
    imagesPerSecond,
    shareOfPeak: (imagesPerSecond * flopsPerImage) / 1e9 / peakGigaflops,
  };
}

/** What a run's record promises to everybody who runs it again. */
export const promiseOf = ({ model, recipe, seed, end, checksum }: RunRecord): PromisedHash => ({
  model,
  recipe,
  seed,
  steps: end.steps,
  data: checksum,
  parametersSha256: end.parametersSha256,
});
