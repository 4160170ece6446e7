/** What a run is, for the page: gathered once, when it begins. */

import type { StartEvent } from '@lockstep/core/events';
import { type SummaryRow, summarize, summarizeTotals } from '@lockstep/core/model';
import type { RunView } from '@lockstep/core/seams';
import { hashRun } from '@lockstep/core/wire';
import type { About, LayerRow } from './chronicle.js';

/** What only the program around the run knows. */
export interface Surroundings {
  /** The command that it was begun with. */
  readonly command?: string | undefined;
  readonly startedAt: string;
}

export function describeRun(view: RunView, start: StartEvent, { command, startedAt }: Surroundings): About {
  const { model, recipe, seed, dataset, report } = view;
  const totals = summarizeTotals(model);
  return {
    identity: `${hashRun(model, recipe, seed)}-${dataset.checksum}`,
    model: model.name,
    parameters: totals.parameters,
    multAdds: totals.multAdds,
    layers: summarize(model).map(toLayerRow),
    recipe,
    seed,
    data: start.data,
    report,
    trainSamples: start.trainSamples,
    validationSamples: start.validationSamples,
    testSamples: start.testSamples,
    classNames: Array.from({ length: model.classes }, (_, label) => dataset.classNames?.[label] ?? String(label)),
    engine: start.engine,
    workers: start.workers,
    stepsPerEpoch: start.stepsPerEpoch,
    resumedStep: start.resumedStep ?? 0,
    command,
    startedAt,
    hasCheckpoints: view.hasCheckpoints,
  };
}

const toLayerRow = ({ name, type, outputShape, parameters, window, multAdds }: SummaryRow): LayerRow => ({
  name,
  type,
  outputShape: outputShape.slice(1),
  parameters,
  window: window === undefined ? '' : `${window.kernel}/${window.stride}/${window.padding}`,
  multAdds,
});
