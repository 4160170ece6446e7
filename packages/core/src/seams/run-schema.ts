/**
 * The settings of a run beside its model, recipe and data: one description, through which the command line, config files
 * and the library pass. What asks for a run, further down, takes its fields from here.
 */
import { z } from 'zod';
import type { Dataset } from '../data/dataset/dataset.js';
import { isBoolean, isFraction, isOneOf, isText, isWholeNumber } from '../errors/checks.js';
import { type MetricName, metricNames } from '../events/metric.js';
import { allowedBy, fieldsOf } from '../spec/check-options.js';
import type { ModelSpec } from '../spec/model-spec.js';
import type { Recipe } from '../spec/recipe.js';
import { type EngineName, engineNames, type KernelChoice, kernelChoices } from './node.js';

/** More threads than any machine has cores; a mistyped 10000 should not start them. */
const MOST_WORKERS = 1024;

const wholeNumber = (minimum: number, maximum?: number) => allowedBy<number>(isWholeNumber(minimum, maximum));
const text = allowedBy<string>(isText);
const toggle = allowedBy<boolean>(isBoolean);
const metric = allowedBy<MetricName>(isOneOf(...metricNames));

/** Threads that compute: 1 to 1024. */
export const workersSchema = wholeNumber(1, MOST_WORKERS);

/** A number of steps or epochs, at least 1. */
export interface Interval {
  readonly count: number;
  readonly unit: 'steps' | 'epochs';
}

const INTERVAL = /^(\d+)\s*(steps?|epochs?)$/;

/** Reads `500 steps`, `2 epochs`, `1 epoch`. */
function readInterval(value: unknown): unknown {
  const [, count, unit] = typeof value === 'string' ? (INTERVAL.exec(value.trim()) ?? []) : [];
  return count === undefined ? value : { count: Number(count), unit: unit?.startsWith('step') ? 'steps' : 'epochs' };
}

const intervalParts = z.strictObject({
  count: wholeNumber(1),
  unit: z.enum(['steps', 'epochs']),
});

/** `{ count: 500, unit: 'steps' }`, or as text: `500 steps`. */
export const intervalSchema = z
  .custom<Interval | string>((value) => intervalParts.safeParse(readInterval(value)).success, {
    error: 'must be a number of steps or epochs, such as "500 steps" or "2 epochs"',
  })
  .transform((value) => readInterval(value) as Interval);

/** When a run writes checkpoints, and which of them it keeps. */
export const checkpointSchema = fieldsOf(
  {
    /** Where they are written; it is made if it is not there. */
    folder: text,
    /** Write one after every so many epochs, or steps of the run: at least 1. Default: 1 epoch. */
    every: intervalSchema.optional(),
    /** How many of the newest to keep, at least 1. Default: 3. */
    keep: wholeNumber(1).optional(),
    /** Also write, and keep, the checkpoint of the best epoch by this. */
    best: metric.optional(),
  },
  'must be an object with a folder',
);

export const runSchema = z.strictObject({
  /** Start of every random number: 0 to 2^53 - 1. Default: 1. */
  seed: wholeNumber(0),
  /** Threads; any number gives the same result. 1 to 1024, or 0 where only other machines compute. Default: this machine's cores. */
  workers: wholeNumber(0, MOST_WORKERS),
  /** What computes. Default: `native`. */
  engine: allowedBy<EngineName>(isOneOf(...engineNames)),
  /** Which kernels the native engine takes; all give the same bits. Default: `auto`, the best that run here. */
  kernels: allowedBy<KernelChoice>(isOneOf(...kernelChoices)).optional(),
  /** Stop after this many steps of the run, also in the middle of an epoch; at least 1. */
  steps: wholeNumber(1).optional(),
  /** Stop after the first epoch whose test accuracy reaches this fraction, above 0 and up to 1. */
  until: allowedBy<number>(isFraction).optional(),
  /** Stop after so many epochs, at least 1, that were not better than the best one. */
  patience: wholeNumber(1).optional(),
  /** By what epochs are compared. Default: the accuracy on the validation split, if there is one, else on the test split. */
  best: metric.optional(),
  /** Evaluate after every epoch (the default), or only at the end of the run: no epoch events come then. */
  evaluate: allowedBy<'epochs' | 'end'>(isOneOf('epochs', 'end')).optional(),
  /** Training images to hold out for validation: fewer than there are. Default: 0. */
  validation: wholeNumber(0),
  /** Write checkpoints. */
  checkpoints: checkpointSchema.optional(),
  /** A folder of checkpoints, or one of them, to go on from. */
  resume: text.optional(),
  /** Go on although the run differs from the checkpoint's. */
  override: toggle.optional(),
  /** A weights file to start from; with `recipe.freeze` or `replaceHead`, what fits by name and shape. */
  weights: text.optional(),
  /** Give the model a new last layer for so many classes: 2 to 65,536. */
  replaceHead: wholeNumber(2, 65_536).optional(),
  /** Whatever started this run starts it again when it ends before its end: its nodes wait for that. */
  preemptible: toggle.optional(),
});

/** The settings of a run, checked. */
export type RunFields = Readonly<z.output<typeof runSchema>>;
/** What ends a run before its last epoch, and what its epochs are judged by. */
export type RunEnds = Pick<RunFields, 'steps' | 'until' | 'patience' | 'best' | 'evaluate'>;
export type CheckpointPolicy = Readonly<z.output<typeof checkpointSchema>>;

/** What decides the result of a run. */
export interface RunIdentity extends Pick<RunFields, 'seed'> {
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly dataset: Dataset;
}
