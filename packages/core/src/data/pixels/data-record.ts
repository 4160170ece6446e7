/** What is kept of the data of a run: enough to know them again, and to have them again. */
import { z } from 'zod';
import { dataOriginSchema } from '../dataset/data-origin.js';
import type { Dataset } from '../dataset/dataset.js';
import { datasetPixelsSchema, pixelsOf } from './pixels.js';

const count = z.int().min(0);

export const dataRecordSchema = z.object({
  source: z.string(),
  checksum: z.string(),
  trainSamples: count,
  validationSamples: count,
  /** How its pixels are read; records of before do not say it. */
  pixels: datasetPixelsSchema.optional(),
  /** Where it was, and how it was read there; records of before do not say it. */
  origin: dataOriginSchema.optional(),
});

export type DataRecord = Readonly<z.output<typeof dataRecordSchema>>;

export const recordData = (dataset: Dataset): Required<DataRecord> => ({
  source: dataset.source,
  checksum: dataset.checksum,
  trainSamples: dataset.train.count,
  validationSamples: dataset.validation.count,
  pixels: pixelsOf(dataset),
  origin: dataset.origin ?? { kind: 'given' },
});
