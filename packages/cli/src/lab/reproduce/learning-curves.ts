/** Learning curves for the report: the first seed of each claim, as the documents of lenet5 and mynet show them. */
import { emptyChronicle } from '@lockstep/watch/chronicle';
import { drawCurves } from '@lockstep/watch/report';
import type { Curve } from './report.js';
import type { RunRecord } from './run-record.js';

/** A picture of loss and accuracy over epochs: training, held-out images if there are any, test. */
export const drawRecord = ({ model, recipe, seed, epochs }: RunRecord): Curve => ({
  title: `${model} (${recipe}), seed ${seed}`,
  file: `curves-${model}-${recipe}.svg`,
  svg: drawCurves({ ...emptyChronicle, epochs }),
});
