/** Hashes by which replicas, and builds of the kernels, are compared. Gaps between regions are left out. */
import { createHash } from 'node:crypto';
import { bytesOf, type ContributionLayout } from '@lockstep/core/run';

/** SHA-256 (hex) of a state: parameters, and running mean and variance. */
export function hashReplica(layout: ContributionLayout, state: Float32Array): string {
  const hash = createHash('sha256');
  for (const region of layout.regions) {
    const size = region.kind === 'statistics' ? 2 * region.channels : region.size;
    hash.update(bytesOf(state.subarray(region.offset, region.offset + size)));
  }
  return hash.digest('hex');
}

/** SHA-256 (hex) of a contribution. */
export function hashContribution(layout: ContributionLayout, contribution: Float32Array): string {
  const hash = createHash('sha256');
  for (const { offset, size } of layout.regions) hash.update(bytesOf(contribution.subarray(offset, offset + size)));
  return hash.digest('hex');
}
