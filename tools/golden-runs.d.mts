import type { TrainRequest } from '../packages/cli/dist/api/train-request.js';
import type { Dataset } from '../packages/core/dist/data/index.js';
import type { RunEvent } from '../packages/core/dist/events/index.js';
import type { RecipeInput } from '../packages/core/dist/spec/index.js';

export interface GoldenRun {
  readonly model: string;
  readonly recipeName?: string;
  readonly recipe: Partial<RecipeInput>;
  readonly images: number;
  readonly seed: number;
  readonly steps: number;
  readonly sha256: string;
}

export const GOLDEN_FILE: string;
export function readGoldenRuns(): GoldenRun[];
export function describeRun(run: GoldenRun): string;
export function cutSample(trainCount: number, testCount: number, packages?: URL): Promise<Dataset>;
export function trainGolden(
  run: GoldenRun,
  asked: Partial<TrainRequest> & Pick<TrainRequest, 'workers'>,
  packages?: URL,
): AsyncGenerator<RunEvent, void>;
export function computeGoldenHash(run: GoldenRun, workers: number): Promise<string>;
