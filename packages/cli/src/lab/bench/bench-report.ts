/** What a bench command says in the end: a table, or with `--json` one object. */
import { type Io, writeJson, writeLine } from '../../terminal/io.js';
import type { Costs } from '../simulate/costs.js';
import type { StepFigures } from './kernels/kernel-figures.js';
import { describeOccasion, formatOccasion, type Occasion } from './measure/machine.js';
import { BENCH_BATCH } from './measure/workload.js';
import type { MemoryFigures } from './memory.js';
import type { ClusterFigures } from './nodes/cluster-speed.js';
import type { PredictionFigures } from './nodes/predictions.js';
import type { ModelScaling } from './scaling.js';
import type { BenchSettings } from './settings.js';
import type { ModelFigures } from './speed.js';
import type { SyncFigures } from './sync.js';
import type { EngineComparison } from './tensorflow.js';
import type { WatchingFigures } from './watching.js';

type Length = Pick<BenchSettings, 'seconds' | 'repetitions'>;
type Models<Figures> = Length & { readonly data: string; readonly models: readonly Figures[] };
type Rows<Figures> = Length & { readonly rows: readonly Figures[] };

export type BenchFigures =
  | ({ readonly bench: 'speed' } & Models<ModelFigures> & Pick<BenchSettings, 'engine'>)
  | ({ readonly bench: 'engines' } & Models<EngineComparison>)
  | ({ readonly bench: 'scaling' } & Models<ModelScaling>)
  | { readonly bench: 'kernels'; readonly data: string; readonly step: StepFigures }
  | ({ readonly bench: 'sync' } & Rows<SyncFigures>)
  | ({ readonly bench: 'watching'; readonly workers: number } & Rows<WatchingFigures>)
  | ({ readonly bench: 'cluster' } & Rows<ClusterFigures>)
  | { readonly bench: 'memory'; readonly rows: readonly MemoryFigures[] }
  | {
      readonly bench: 'predictions';
      readonly seconds: number;
      readonly costs: Costs;
      readonly rows: readonly PredictionFigures[];
    };

/** @param occasion of the measurements; default: this one */
export function printReport(
  figures: BenchFigures,
  lines: readonly string[],
  { json }: Pick<BenchSettings, 'json'>,
  io: Io,
  occasion: Occasion = describeOccasion(),
): void {
  const { bench, ...rest } = figures;
  if (json) {
    writeJson(io.stdout, { bench, ...occasion, batchSize: BENCH_BATCH, ...rest });
    return;
  }
  writeLine(io.stdout, formatOccasion(occasion));
  writeLine(io.stdout);
  for (const line of lines) writeLine(io.stdout, line);
}
