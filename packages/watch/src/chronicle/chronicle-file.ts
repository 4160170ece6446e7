/** A chronicle that a run has left in its folder, which may come from anywhere. */
import { readJson } from '@lockstep/core/files';
import { z } from 'zod';
import { type Chronicle, curveColumns, emptyChronicle } from './chronicle.js';

const numbers = z.array(z.number().nullable());
const list = z.array(z.looseObject({}));

/** As far as the server of the page looks into it; the rest is for browsers. Those of earlier versions lack sections. */
const chronicleSchema = z.looseObject({
  about: z.looseObject({}),
  status: z.looseObject({}).optional(),
  curve: z
    .object(Object.fromEntries(curveColumns.map((name) => [name, numbers])))
    .refine((curve) => new Set(Object.values(curve).map(({ length }) => length)).size === 1)
    .optional(),
  epochs: list,
  log: list.optional(),
  crew: list.optional(),
  steps: list.optional(),
});

/** Undefined where a text is no chronicle. */
export function parseChronicle(text: string): Chronicle | undefined {
  const { success, data } = chronicleSchema.safeParse(readJson(text));
  // browsers show what is missing or strange in it as such
  return success ? ({ ...emptyChronicle, ...data } as unknown as Chronicle) : undefined;
}
