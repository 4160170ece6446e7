/**
 * A model as data: what a user writes in `my.json` and what the zoo holds.
 * Layer and option names are PyTorch's, in camelCase.
 */
import { z } from 'zod';
import { LockstepError } from '../errors/errors.js';

const size = z.int().min(1).max(65_536);
const probability = z.number().min(0).lt(1);

/** What every layer may carry. */
const common = {
  /** Name in the file of weights, as in nn.Sequential(OrderedDict): `conv1` gives `conv1.weight`. Default: the layer's index. */
  name: z
    .string()
    .regex(/^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$/, 'letters, digits, _ and single dots')
    .optional(),
  /** Called as a function in PyTorch (F.relu), so that a summary does not list it as a module. */
  functional: z.boolean().optional(),
};

export const layerSpecSchema = z.discriminatedUnion('type', [
  /** nn.Conv2d with a square kernel; padding is with zeros. */
  z.strictObject({
    type: z.literal('conv'),
    outChannels: size,
    kernel: z.int().min(1).max(255),
    stride: z.int().min(1).max(255).default(1),
    padding: z.int().min(0).max(255).default(0),
    groups: size.default(1),
    bias: z.boolean().default(true),
    ...common,
  }),
  /** nn.BatchNorm2d (nn.BatchNorm1d after flatten): eps 1e-5, momentum 0.1, affine; statistics per shard. */
  z.strictObject({ type: z.literal('batchNorm'), ...common }),
  z.strictObject({ type: z.literal('relu'), ...common }),
  /** nn.MaxPool2d, floor mode, no padding; stride defaults to the kernel. Of equal values the first in row order wins. */
  z.strictObject({
    type: z.literal('maxPool'),
    kernel: z.int().min(1).max(255),
    stride: z.int().min(1).max(255).optional(),
    ...common,
  }),
  /** nn.AvgPool2d, floor mode, no padding; stride defaults to the kernel. */
  z.strictObject({
    type: z.literal('avgPool'),
    kernel: z.int().min(1).max(255),
    stride: z.int().min(1).max(255).optional(),
    ...common,
  }),
  /** nn.AdaptiveAvgPool2d(1). */
  z.strictObject({ type: z.literal('globalAvgPool'), ...common }),
  /** nn.Dropout: each element is zeroed with probability p, the others scaled by 1/(1-p). */
  z.strictObject({ type: z.literal('dropout'), p: probability, ...common }),
  z.strictObject({ type: z.literal('flatten'), ...common }),
  /** nn.Linear over flattened input. */
  z.strictObject({ type: z.literal('linear'), outFeatures: size, bias: z.boolean().default(true), ...common }),
  /** nn.LogSoftmax(dim=1). May only be last; the loss is cross-entropy with or without it. */
  z.strictObject({ type: z.literal('logSoftmax'), ...common }),
]);

export const modelSpecSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 letters, digits, - and _'),
  /** One line for `lockstep models`. */
  description: z.string().optional(),
  input: z.strictObject({ channels: size, height: size, width: size }),
  classes: z.int().min(2).max(65_536),
  layers: z.array(layerSpecSchema).min(1),
});

/** One layer with every default filled in. */
export type LayerSpec = z.output<typeof layerSpecSchema>;
/** A model with every default filled in. */
export type ModelSpec = z.output<typeof modelSpecSchema>;
/** A model as a person writes it, defaults left out. */
export type ModelSpecInput = z.input<typeof modelSpecSchema>;

/**
 * Checks the form of a model spec and fills in defaults. Shapes are checked by `inferLayers`.
 *
 * @throws LockstepError LOCKSTEP_MODEL_SPEC naming the layer, the field and what was expected
 */
export function parseModelSpec(value: unknown, source = 'model'): ModelSpec {
  const result = modelSpecSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = describePath(issue?.path ?? [], value);
  throw new LockstepError('LOCKSTEP_MODEL_SPEC', `${source}: ${where}${issue?.message ?? 'not a model spec'}`);
}

/** `layer 4 (conv): kernel: `, from the path of a schema issue; layers are counted from 1 as in summaries. */
function describePath(path: readonly PropertyKey[], value: unknown): string {
  if (path[0] !== 'layers' || typeof path[1] !== 'number') return path.length > 0 ? `${path.join('.')}: ` : '';
  const layer = (value as { layers?: { type?: unknown }[] }).layers?.[path[1]];
  const type = typeof layer?.type === 'string' ? ` (${layer.type})` : '';
  const field = path.slice(2).join('.');
  return `layer ${path[1] + 1}${type}: ${field === '' ? '' : `${field}: `}`;
}
