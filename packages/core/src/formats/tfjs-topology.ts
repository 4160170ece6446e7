/** Reads the form of a LayersModel's model.json: one chain of layers, and where each weight stands. */
import { z } from 'zod';
import { LockstepError } from '../errors/errors.js';
import { parseJson } from '../files/json-text.js';
import { TFJS_METADATA } from './tfjs-model.js';

const layerSchema = z.object({ class_name: z.string(), config: z.record(z.string(), z.unknown()) });

const weightSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  dtype: z.string(),
  quantization: z.unknown().optional(),
});

const configSchema = z.union([
  z.object({ name: z.string().optional(), layers: z.array(layerSchema) }),
  // the first versions of tfjs wrote the bare list
  z.array(layerSchema).transform((layers) => ({ name: undefined, layers })),
]);

const modelSchema = z.object({
  modelTopology: z.union([
    z
      .object({ model_config: z.object({ class_name: z.string(), config: configSchema }) })
      .transform((t) => t.model_config),
    z.object({ class_name: z.string(), config: configSchema }),
  ]),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()).min(1), weights: z.array(weightSchema) })),
  userDefinedMetadata: z.record(z.string(), z.unknown()).optional(),
});

export interface TopologyLayer {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface ManifestWeight {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface Topology {
  readonly name: string;
  readonly layers: readonly TopologyLayer[];
  /** Groups of files, read one after the other, and the tensors in them. */
  readonly manifest: readonly { readonly paths: readonly string[]; readonly weights: readonly ManifestWeight[] }[];
  /** What Lockstep left for itself, if it wrote the model. */
  readonly own: { readonly model?: unknown; readonly notes?: unknown } | undefined;
}

/**
 * Parses model.json.
 *
 * @throws LockstepError LOCKSTEP_TFJS_FORMAT when it is no LayersModel that is one chain of layers with float32 weights
 */
export function parseTopology(text: string, path: string): Topology {
  const parsed = parseJson(text);
  if ('fault' in parsed) throw formatError(path, `is not JSON: line ${parsed.fault.line}: ${parsed.fault.text}`);
  const result = modelSchema.safeParse(parsed.value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw formatError(path, `is not a LayersModel of TensorFlow.js: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { modelTopology, weightsManifest, userDefinedMetadata } = result.data;
  const layers = modelTopology.config.layers.map(readLayer);
  if (modelTopology.class_name !== 'Sequential') checkChain(modelTopology.class_name, layers, path);
  for (const { name, dtype, quantization } of weightsManifest.flatMap(({ weights }) => weights)) {
    if (dtype !== 'float32' || quantization !== undefined) {
      throw formatError(
        path,
        `has ${name} as ${quantization === undefined ? dtype : 'quantized'} values, only float32 can be read`,
      );
    }
  }
  const own = userDefinedMetadata?.[TFJS_METADATA];
  return {
    name: modelTopology.config.name ?? 'imported',
    layers,
    manifest: weightsManifest,
    own: typeof own === 'object' && own !== null ? own : undefined,
  };
}

const readLayer = ({ class_name: className, config }: z.output<typeof layerSchema>, index: number): TopologyLayer => ({
  className,
  name: typeof config['name'] === 'string' ? config['name'] : String(index),
  config,
});

/** A functional model names its inputs outside `config`; without that list only a model of one chain can be told. */
function checkChain(className: string, layers: readonly TopologyLayer[], path: string): void {
  const merges = layers.find((layer) =>
    /^(Add|Concatenate|Multiply|Average|Maximum|Dot|Subtract)$/.test(layer.className),
  );
  if (className !== 'Model' && className !== 'Functional')
    throw formatError(path, `is a ${className}, expected a Sequential model`);
  if (merges)
    throw formatError(
      path,
      `joins branches in its layer ${merges.name} (${merges.className}); only a chain of layers can be read`,
    );
}

const formatError = (path: string, text: string): LockstepError =>
  new LockstepError('LOCKSTEP_TFJS_FORMAT', `${path} ${text}.`);
