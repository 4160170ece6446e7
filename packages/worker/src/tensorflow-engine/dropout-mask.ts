/** Dropout's kept elements: the same as the native kernels draw (packages/kernels/native/post.cc). */

import { type PhiloxBlock, type Purpose, philox, purposes } from '@lockstep/core/math';
import type { Layer } from '@lockstep/core/model';

/** A probability is a threshold on 16 random bits. */
const BITS = 65_536;
const ELEMENTS_PER_BLOCK = 8;

/** What the masks of a shard are a function of, beside the layer. */
export interface MaskDraw {
  readonly seed: number;
  readonly step: number;
  /** Position in the step of the shard's first sample. */
  readonly firstSample: number;
  readonly sampleCount: number;
}

/**
 * Factors of a dropout layer's elements: 0, or 1 / (1 - p) where kept. Element e of a sample, counted [channel][row]
 * [column], is kept if half e % 2 of word (e / 2) % 4 of Philox block floor(e / 8) reaches the threshold.
 *
 * @returns [sample][row][column][channel]
 */
export function drawMask({ index, output }: Layer, p: number, draw: MaskDraw): Float32Array {
  const { channels, height, width } = output;
  const pixels = height * width;
  const elements = channels * pixels;
  const threshold = Math.round(p * BITS);
  const kept = Math.fround(BITS / (BITS - threshold));
  const purpose = (purposes.dropout | (index << 8)) as Purpose;
  const block: PhiloxBlock = new Uint32Array(4);
  const mask = new Float32Array(draw.sampleCount * elements);
  for (let sample = 0; sample < draw.sampleCount; sample++) {
    const to = sample * elements;
    for (let e = 0; e < elements; e++) {
      if (e % ELEMENTS_PER_BLOCK === 0) {
        philox(draw.seed, purpose, draw.step, draw.firstSample + sample, e / ELEMENTS_PER_BLOCK, block);
      }
      const half = ((block[(e >> 1) & 3] as number) >>> ((e & 1) * 16)) & 0xffff;
      if (half >= threshold) mask[to + (e % pixels) * channels + Math.floor(e / pixels)] = kept;
    }
  }
  return mask;
}
