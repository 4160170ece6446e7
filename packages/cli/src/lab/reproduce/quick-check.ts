/** `lockstep reproduce --quick`: the first steps of each run, whose hashes anybody can compare in seconds. */
import type { Dataset } from '@lockstep/core/data';
import type { EndEvent } from '@lockstep/core/events';
import { train } from '../../api/session.js';
import { type Claim, resolveClaim } from './claims.js';
import { type HashVerdict, judgeHash, type PromisedHash } from './promised-hashes.js';

export interface QuickResult extends PromisedHash {
  readonly event: 'quick-check';
  readonly verdict: HashVerdict;
}

/** Images that the evaluation at the end looks at: it is not what is checked. */
const TEST_IMAGES = 64;

/** Runs the first steps of a claim's run, all training images in the order of its recipe. */
export async function checkQuickly(
  claim: Claim,
  seed: number,
  { dataset, workers }: { readonly dataset: Dataset; readonly workers: number },
  promises: readonly PromisedHash[],
): Promise<QuickResult> {
  const { model, recipe } = resolveClaim(claim);
  const { test, checksum } = dataset;
  const images = test.images.subarray(0, TEST_IMAGES * (test.images.length / test.count));
  const small = { count: TEST_IMAGES, images, labels: test.labels.subarray(0, TEST_IMAGES) };
  const request = { model, recipe, seed, workers, engine: 'native', steps: claim.quickSteps } as const;
  let end: EndEvent | undefined;
  for await (const event of train({ ...request, dataset: { ...dataset, test: small } })) {
    if (event.event === 'end') end = event;
  }
  if (end === undefined) throw new Error(`the run of ${model.name} had no end`);
  const { parametersSha256, steps } = end;
  const run = { model: model.name, recipe: claim.recipe, seed, steps, data: checksum, parametersSha256 };
  return { event: 'quick-check', ...run, verdict: judgeHash(promises, run) };
}
