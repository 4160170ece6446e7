/** What is kept of a finished run: `record.json` in its folder. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { EndEvent, EpochEvent } from '@lockstep/core/events';
import { createFolderOf, readKeptJson, writeFileAtomically } from '@lockstep/core/files';
import type { ModelSpec, Recipe } from '@lockstep/core/spec';
import { z } from 'zod';
import type { Occasion } from '../bench/measure/machine.js';

/** What decides a run's result. Two runs of the same identity have the same bits. */
export interface RunIdentity {
  /** Of Lockstep. */
  readonly version: string;
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly seed: number;
  /** Of the dataset. */
  readonly checksum: string;
  readonly validation: number;
  /** Where the run stops, if not at its recipe's end. */
  readonly steps?: number | undefined;
  readonly until?: number | undefined;
}

/** What a run took, over all its parts if it was interrupted. */
export interface RunCost {
  /** On the wall. */
  readonly seconds: number;
  /** Seconds of all cores, of this process. */
  readonly coreSeconds: number;
  /** Of the processor; undefined where the machine does not tell. */
  readonly joules?: number | undefined;
}

export interface RunRecord {
  readonly model: string;
  /** Its name. */
  readonly recipe: string;
  readonly seed: number;
  readonly workers: number;
  readonly epochs: readonly EpochEvent[];
  readonly end: EndEvent;
  readonly cost: RunCost;
  /** Images/s over all epochs, evaluation and checkpoints left out. */
  readonly imagesPerSecond: number;
  /** Multiply-adds as FLOP/s that the workers' cores can do, measured before the run. */
  readonly peakGigaflops: number;
  readonly occasion: Occasion;
  readonly checksum: string;
}

const costSchema = z.looseObject({ seconds: z.number(), coreSeconds: z.number(), joules: z.number().optional() });

/** What the report and the claims read of a record; the rest is as it was written. */
const recordSchema = z.looseObject({
  ...{ model: z.string(), recipe: z.string(), checksum: z.string() },
  ...{ seed: z.int(), workers: z.int() },
  epochs: z.array(z.looseObject({ event: z.literal('epoch'), epoch: z.int(), testAccuracy: z.number() })),
  end: z.looseObject({ event: z.literal('end'), testAccuracy: z.number(), parametersSha256: z.string() }),
  cost: costSchema,
  ...{ imagesPerSecond: z.number(), peakGigaflops: z.number() },
  occasion: z.looseObject({}),
});

const RECORD = 'record.json';
const COST = 'cost.json';
const DIGITS = 8;

/** `tiny6k-ours-seed1-0f3a9c21`: the run's folder; another identity has another. */
export function runFolder(root: string, recipeName: string, identity: RunIdentity): string {
  const hash = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, DIGITS);
  return join(root, `${identity.model.name}-${recipeName}-seed${identity.seed}-${hash}`);
}

export const checkpointFolder = (folder: string): string => join(folder, 'checkpoints');
export const weightsPath = (folder: string): string => join(folder, 'weights.safetensors');

/** Takes a line about a file that cannot be used. */
type Tell = (text: string) => void;

/** The record of a finished run; undefined if there is none, or none that can be used, which is told: the run is done again. */
export const readRecord = (folder: string, tell: Tell): RunRecord | undefined =>
  readKept(join(folder, RECORD), recordSchema, (fault) => tell(`${fault}; the run is done again`)) as
    | RunRecord
    | undefined;
export const writeRecord = (folder: string, record: RunRecord): void => writeJson(join(folder, RECORD), record);

/** What the parts of an interrupted run took up to its last checkpoint. */
export const readCost = (folder: string, tell: Tell): RunCost | undefined =>
  readKept(join(folder, COST), costSchema, (fault) => tell(`${fault}; what the run took before is not counted`));
export const writeCost = (folder: string, cost: RunCost): void => writeJson(join(folder, COST), cost);

const readKept = <Schema extends z.ZodType>(path: string, schema: Schema, tell: Tell): z.output<Schema> | undefined =>
  readKeptJson(path, schema, (fault) => tell(`${path} ${fault}`));

function writeJson(path: string, value: unknown): void {
  createFolderOf(path);
  writeFileAtomically(path, [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)]);
}
