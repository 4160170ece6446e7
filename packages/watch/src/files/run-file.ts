/** run.json, in the folder of a run: what it was, and all that is needed to run it again. */
import { type DataRecord, dataOriginSchema, datasetPixelsSchema, pixelsOf, recordData } from '@lockstep/core/data';
import { LOCKSTEP_VERSION } from '@lockstep/core/files';
import { type Beginning, beginningSchema, type RunView } from '@lockstep/core/seams';
import { z } from 'zod';

/** Changes when a reader of an older folder would be misled. */
export const OUT_FORMAT = 1;

/** What run.json holds, in the order of its lines. */
export function describeRun(view: RunView) {
  const { model, recipe, seed, workers, engine, ends, beginning, dataset, stepsPerEpoch } = view;
  const { name, channels, height, width, classes, classNames } = dataset;
  const { source, checksum, trainSamples, validationSamples, origin } = recordData(dataset);
  const counts = { train: trainSamples, validation: validationSamples, test: dataset.test.count };
  return {
    format: OUT_FORMAT,
    version: LOCKSTEP_VERSION,
    model,
    recipe,
    seed,
    workers,
    engine,
    ...ends,
    ...beginning,
    stepsPerEpoch,
    dataset: {
      ...{ name, source, checksum, ...counts, channels, height, width, classes, ...pixelsOf(dataset) },
      ...(classNames && { classNames }),
      origin,
    },
    report: view.report,
  };
}

const count = z.int().min(0);

const againSchema = beginningSchema.extend({
  /** `native (avx512)`: by its name, as a flag has it. */
  engine: z.string().transform((text) => text.split(' ', 1)[0] as string),
  dataset: datasetPixelsSchema.extend({
    source: z.string(),
    checksum: z.string(),
    train: count,
    validation: count,
    /** Files of before do not say it, nor what ended the run early, nor the weights it began with. */
    origin: dataOriginSchema.optional(),
  }),
});

/** What run.json says beside the fields that a config file has too, in the same words. */
export interface RunAgain {
  readonly engine: string;
  readonly dataset: DataRecord;
  readonly beginning: Beginning;
}

/** @returns what is wrong with it, as zod's issues, where it cannot be read */
export function readRunAgain(content: unknown): { readonly run: RunAgain } | { readonly issue: z.core.$ZodIssue } {
  const result = againSchema.safeParse(content);
  if (!result.success) return { issue: result.error.issues[0] as z.core.$ZodIssue };
  const { dataset, engine, ...beginning } = result.data;
  const { source, checksum, train, validation, origin, ...pixels } = dataset;
  const record = { source, checksum, trainSamples: train, validationSamples: validation, pixels, origin };
  return { run: { engine, dataset: record, beginning } };
}
