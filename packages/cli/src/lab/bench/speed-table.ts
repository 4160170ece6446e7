/** The figures of `lockstep bench` as a table. */
import { fixed } from '@lockstep/core/text';
import { formatTable } from '../../terminal/text-table.js';
import { formatPercent, formatRange, formatRate } from './measure/rate-text.js';
import type { ModelFigures, Throughput, WorkerFigures } from './speed.js';

const HEADINGS = ['Model', 'Workers', 'Peak GFLOP/s', 'Training images/s', '(min-max)', 'of peak', 'scaling'];
const INFERENCE_HEADINGS = ['Inference images/s', '(min-max)', 'of peak', 'scaling'];

/** One line per model and worker count. */
export function formatSpeed(models: readonly ModelFigures[]): string[] {
  const rows = models.flatMap(({ model, figures }) => figures.map((figure) => formatRow(model, figure)));
  return formatTable([[...HEADINGS, ...INFERENCE_HEADINGS], ...rows], 'lrrrlrrrlrr');
}

const formatRow = (model: string, { workers, peakGigaflops, training, inference }: WorkerFigures): string[] => [
  model,
  String(workers),
  fixed(peakGigaflops.median, 0),
  ...formatThroughput(training),
  ...formatThroughput(inference),
];

const formatThroughput = ({ imagesPerSecond, shareOfPeak, scalingEfficiency }: Throughput): string[] => [
  formatRate(imagesPerSecond.median),
  formatRange(imagesPerSecond),
  formatPercent(shareOfPeak),
  formatPercent(scalingEfficiency),
];
