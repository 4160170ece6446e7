/** The figures of `lockstep bench kernels` as tables. */
import { countOf, fixed } from '@lockstep/core/text';
import { formatTable } from '../../../terminal/text-table.js';
import { formatPercent, formatRate } from '../measure/rate-text.js';
import type { KernelFigures, StepFigures } from './kernel-figures.js';

const HEADINGS = ['Op', 'Shape', 'Algorithm', 'us/step', 'Share', 'Rate', '', 'of peak'];

/** The ops in program order, then the passes, then the whole step. */
export function formatStep(figures: StepFigures): string[] {
  const { model, samples, microseconds, timedMicroseconds, imagesPerSecond, peakGigaflops, shareOfPeak } = figures;
  const passes = figures.passes.map(({ pass, microseconds: time, shareOfStep }) => [
    pass,
    fixed(time, 0),
    formatShare(shareOfStep),
  ]);
  return [
    ...formatTable([HEADINGS, ...figures.kernels.map((kernel) => formatKernel(kernel, peakGigaflops))], 'lllrrrlr'),
    '',
    ...formatTable([['Pass', 'us/step', 'Share'], ...passes], 'lrr'),
    '',
    `${model}, ${countOf(samples, 'image')}, one thread: ${fixed(timedMicroseconds, 0)} us a step with timers; without them ` +
      `${fixed(microseconds, 0)} us, ${formatRate(imagesPerSecond)} images/s, ${formatPercent(shareOfPeak)} of ${fixed(peakGigaflops, 0)} GFLOP/s.`,
  ];
}

function formatKernel(kernel: KernelFigures, peakGigaflops: number): string[] {
  const { op, shape, algorithm, microseconds, shareOfStep, gigaflops, gigabytesPerSecond } = kernel;
  const rate = gigaflops ?? gigabytesPerSecond;
  return [
    op,
    shape,
    algorithm,
    fixed(microseconds, 1),
    formatShare(shareOfStep),
    rate === undefined ? '' : fixed(rate, rate < 10 ? 1 : 0),
    gigaflops !== undefined ? 'GFLOP/s' : gigabytesPerSecond !== undefined ? 'GB/s' : '',
    gigaflops === undefined ? '' : formatPercent(gigaflops / peakGigaflops),
  ];
}

const formatShare = (share: number): string => `${fixed(100 * share, 1)}%`;
