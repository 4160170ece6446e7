/** Where a dataset came from and how it was made of what is there: enough to have it again. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { pixelLayouts } from '../pictures/pixel-form.js';

const side = z.int().min(1);
const size = z.object({ height: side, width: side });

const formSchema = z.object({
  resize: size.optional(),
  channels: z.int().optional(),
  labelColumn: z.string().optional(),
  csvShape: z.object({ channels: side, height: side, width: side }).optional(),
  csvLayout: z.enum(pixelLayouts).optional(),
  /** Images that were held out as the test set, where the data has none. */
  heldOut: z.int().min(1).optional(),
  classNames: z.array(z.string()).optional(),
  classes: z.int().min(1).optional(),
});

const sizeForm = z.object({ resize: size });

export const dataOriginSchema = z.discriminatedUnion('kind', [
  /** The cache, or the mirrors. */
  z.object({ kind: z.literal('mnist'), form: sizeForm.optional() }),
  /** The embedded sample of MNIST. */
  z.object({ kind: z.literal('sample'), form: sizeForm.optional() }),
  /** `path` is absolute; `form` is what `openDataset` was told. */
  z.object({ kind: z.literal('path'), path: z.string(), form: formSchema }),
  /** A program made it. */
  z.object({ kind: z.literal('given') }),
]);

export type DataOrigin = z.output<typeof dataOriginSchema>;

type Form = z.input<typeof formSchema>;

/** The origin of data at a path; of `form` only what `openDataset` reads data by is kept. */
export const originAt = (path: string, form: { readonly [Name in keyof Form]?: unknown }): DataOrigin => ({
  kind: 'path',
  path: resolve(path),
  form: formSchema.parse(form),
});
