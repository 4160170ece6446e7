/** A run as those who watch it see it. */
import type { EpochEvent } from '@lockstep/core/events';
import { inferLayers } from '@lockstep/core/model';
import { planContribution } from '@lockstep/core/run';
import type { RunView, TrainingNode } from '@lockstep/core/seams';
import type { RunEvents } from './run-events.js';
import type { RunOptions } from './run-options.js';

interface Known extends Pick<RunView, 'beginning' | 'stepsPerEpoch' | 'hasCheckpoints'> {
  readonly events: RunEvents;
  readonly epochs: readonly EpochEvent[];
}

export function viewRun(options: RunOptions, node: TrainingNode, known: Known): RunView {
  const { model, recipe, dataset, seed, steps, until, patience, best, evaluate } = options;
  const { events, epochs, beginning, stepsPerEpoch, hasCheckpoints } = known;
  const layers = inferLayers(model);
  return {
    model,
    layers,
    layout: planContribution(layers),
    recipe,
    dataset,
    report: events.report,
    seed,
    workers: node.workers,
    engine: node.engine,
    stepsPerEpoch,
    ends: { steps, until, patience, best, evaluate },
    beginning,
    hasCheckpoints,
    history: [...epochs],
    waysBack: () => node.waysBack?.() ?? [],
    readState: () => node.readState(),
    readAverage: () => node.readAverage(),
    readGradient: () => node.readGradient(),
  };
}
