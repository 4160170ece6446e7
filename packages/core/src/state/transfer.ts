/** Transfer learning: a model with another head, and the weights that it takes over from a file, by name. */

import { LockstepError } from '../errors/errors.js';
import type { Tell } from '../formats/tensor-form.js';
import { headIndex, inferLayers, type Layer, modelParameters } from '../model/layers.js';
import type { ModelState } from '../run/contribution.js';
import type { ModelSpec } from '../spec/model-spec.js';
import { countOf } from '../text/count-text.js';
import { readTensors, type WeightsTensor } from './weights.js';

/**
 * The same model for another number of classes: the outputs of its last convolution or dense layer are replaced.
 *
 * @throws LockstepError LOCKSTEP_HEAD when that layer's outputs are not the classes
 */
export function replaceHead(model: ModelSpec, classes: number): ModelSpec {
  const layers = inferLayers(model);
  const index = headIndex(model.layers);
  const head = model.layers[index];
  const replaced =
    head?.type === 'linear'
      ? { ...head, outFeatures: classes }
      : head?.type === 'conv' && head.groups === 1
        ? { ...head, outChannels: classes }
        : undefined;
  const given = layers[index]?.output.channels;
  if (replaced === undefined || given !== model.classes) {
    throw new LockstepError(
      'LOCKSTEP_HEAD',
      `${model.name} has no head that can be replaced: its last layer with weights gives ${countOf(given ?? 0, 'value')}, ` +
        `not one per class (${model.classes}). Write the model with ${countOf(classes, 'class', 'classes')} as a .json file instead.`,
    );
  }
  const changed = { ...model, classes, layers: model.layers.with(index, replaced) };
  inferLayers(changed);
  return changed;
}

/** What became of each tensor. */
export interface MatchedWeights {
  readonly state: ModelState;
  /** Taken from the file. */
  readonly loaded: readonly string[];
  /** In the file, but not taken: `fc.weight [10, 84], the model has [5, 84]`. */
  readonly skipped: readonly string[];
  /** Of the model, but not from the file: they keep their initial values. */
  readonly fresh: readonly string[];
}

/**
 * Takes from a file every tensor whose name and shape a model has; the others keep the values of `initial`.
 *
 * @param withoutHead leave the head as it is, even where its shape fits
 * @param tell as `loadWeights` has it
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ, LOCKSTEP_WEIGHTS_FORMAT; LOCKSTEP_WEIGHTS_MISMATCH when nothing fits
 */
export function matchWeights(
  path: string,
  layers: readonly Layer[],
  initial: ModelState,
  withoutHead: boolean,
  tell: Tell = () => {},
): MatchedWeights {
  const file = readTensors(path, layers, tell);
  const head = withoutHead ? layers[headIndex(layers.map(({ spec }) => spec))] : undefined;
  const kept = new Set(head?.parameters.map(({ name }) => name));
  const loaded: string[] = [];
  const fresh: string[] = [];
  const take = (name: string, shape: readonly number[], own: Float32Array): Float32Array => {
    const tensor = file.get(name);
    const fits = tensor?.values !== undefined && tensor.shape.join() === shape.join() && !kept.has(name);
    (fits ? loaded : fresh).push(name);
    return fits ? (tensor.values as Float32Array) : own;
  };
  const state = {
    parameters: modelParameters(layers).map(({ name, shape }, i) =>
      take(name, shape, initial.parameters[i] as Float32Array),
    ),
    buffers: layers
      .flatMap((layer) => layer.buffers)
      .map(({ name, size }, i) => take(name, [size], initial.buffers[i] as Float32Array)),
  };
  const skipped = [...file]
    .filter(([name]) => !loaded.includes(name) && !name.endsWith('.num_batches_tracked'))
    .map(([name, tensor]) => describeSkipped(name, tensor, layers, kept));
  if (loaded.length === 0) {
    throw new LockstepError(
      'LOCKSTEP_WEIGHTS_MISMATCH',
      `${path} has no tensor that fits this model: it holds ${skipped.join('; ') || 'none'}. Give the model that the weights were saved from.`,
    );
  }
  return { state, loaded, skipped, fresh };
}

function describeSkipped(
  name: string,
  { shape, dtype }: WeightsTensor,
  layers: readonly Layer[],
  kept: ReadonlySet<string>,
): string {
  const own = layers.flatMap((layer) => layer.parameters).find((parameter) => parameter.name === name);
  const given = `${name} ${dtype === 'F32' ? '' : `${dtype} `}[${shape.join(', ')}]`;
  if (own === undefined) return `${given}, unknown to the model`;
  if (kept.has(name)) return `${given}, of the replaced head`;
  return `${given}, the model has [${own.shape.join(', ')}]`;
}
