/** Fits a model to data of another shape or number of classes than it was made for. */

import { LockstepError } from '../errors/errors.js';
import type { LayerSpec, ModelSpec } from '../spec/model-spec.js';
import { countOf } from '../text/count-text.js';
import { headIndex, inferLayers, type Layer, type Shape } from './layers.js';

/** What the data asks of a model. */
export interface DataShape extends Shape {
  readonly classes: number;
}

export interface AdaptedModel {
  readonly model: ModelSpec;
  /** What was changed, for people, one entry each; empty when the model fits as it is. */
  readonly changes: readonly string[];
}

/** Channels that the kernels can read. */
const MAX_CHANNELS = 16;

/**
 * Changes a model's input to the data's shape and its last layer with weights to as many outputs as the data has
 * classes. An average pooling that took all of the image in the model as it was takes all of the other image too.
 *
 * @throws LockstepError LOCKSTEP_DATA_MODEL when the layers do not fit that shape, naming the one that does not
 */
export function adaptModel(model: ModelSpec, data: DataShape): AdaptedModel {
  const shape = { channels: data.channels, height: data.height, width: data.width };
  if (data.channels > MAX_CHANNELS) {
    throw modelError(model, `reads up to ${MAX_CHANNELS} channels, the data has images of ${describeShape(shape)}`);
  }
  const changes: string[] = [];
  let layers = model.layers;
  if (describeShape(model.input) !== describeShape(shape)) {
    changes.push(`input ${describeShape(model.input)} to ${describeShape(shape)}`);
    const isOtherSize = model.input.height !== shape.height || model.input.width !== shape.width;
    if (isOtherSize) layers = widenGlobalPools(layers, inferLayers(model), changes);
  }
  if (data.classes !== model.classes) {
    layers = replaceOutputs(model, layers, data.classes);
    changes.push(`${countOf(model.classes, 'class', 'classes')} to ${data.classes}`);
  }
  if (changes.length === 0) return { model, changes };
  const adapted: ModelSpec = { ...model, input: shape, classes: data.classes, layers };
  checkFit(model, adapted);
  return { model: adapted, changes };
}

const describeShape = ({ channels, height, width }: Shape): string => `${channels}x${height}x${width}`;

/** The input's channels do not matter to an average pooling, its height and width do. */
function widenGlobalPools(specs: readonly LayerSpec[], layers: readonly Layer[], changes: string[]): LayerSpec[] {
  return specs.map((spec, index) => {
    const { output, input } = layers[index] as Layer;
    const isGlobal = spec.type === 'avgPool' && output.height === 1 && output.width === 1 && input.height > 1;
    if (!isGlobal) return spec;
    changes.push(`layer ${index + 1} (avgPool ${spec.kernel}) to globalAvgPool`);
    const { name, functional } = spec;
    return { type: 'globalAvgPool', ...(name && { name }), ...(functional && { functional }) };
  });
}

function replaceOutputs(model: ModelSpec, layers: readonly LayerSpec[], classes: number): LayerSpec[] {
  const last = headIndex(layers);
  const spec = layers[last];
  const outputs = spec?.type === 'conv' ? spec.outChannels : spec?.type === 'linear' ? spec.outFeatures : 0;
  if (spec === undefined || outputs !== model.classes) {
    throw modelError(
      model,
      `has ${countOf(model.classes, 'class', 'classes')}, the data ${classes}, and its last layer with weights does not give one value per class`,
    );
  }
  const replaced = { ...spec, ...(spec.type === 'conv' ? { outChannels: classes } : { outFeatures: classes }) };
  return layers.map((layer, index) => (index === last ? (replaced as LayerSpec) : layer));
}

function checkFit(model: ModelSpec, adapted: ModelSpec): void {
  const wanted = describeShape(adapted.input);
  try {
    inferLayers(adapted);
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    throw modelError(
      model,
      `reads images of ${describeShape(model.input)} in ${countOf(model.classes, 'class', 'classes')}, the data has ${wanted} in ${adapted.classes}, and its layers do not fit that (${error.text})`,
      error,
    );
  }
}

const modelError = (model: ModelSpec, text: string, cause?: unknown): LockstepError =>
  new LockstepError(
    'LOCKSTEP_DATA_MODEL',
    `${model.name} ${text}. Choose another model, or bring the data to its size with --resize.`,
    {
      cause,
    },
  );
