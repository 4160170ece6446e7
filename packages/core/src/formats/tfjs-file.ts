/** Reads a LayersModel's files as what a safetensors file of the same network would hold. */

import { dirname, join } from 'node:path';
import { DATA_KEY } from '../data/pixels/data-notes.js';
import { LockstepError } from '../errors/errors.js';
import { inferLayers } from '../model/layers.js';
import { countOf } from '../text/count-text.js';
import type { SafetensorsFile, Tensor } from './safetensors.js';
import { importTfjsModel } from './tfjs-import.js';
import type { TfjsValues } from './tfjs-source.js';
import { parseTopology, type Topology } from './tfjs-topology.js';
import { decodeFloats, encodeFloats, readWeightsBytes } from './weight-bytes.js';

/** Key of the model spec, as JSON, in a weights file's `__metadata__`. */
const MODEL_KEY = 'lockstep.model';

/** Whether a path given as weights is a LayersModel: its model.json, whatever it is called. */
export const isTfjsPath = (path: string): boolean => /\.json$/i.test(path);

/**
 * Reads model.json and the files that it names beside it.
 *
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ when a file cannot be read, and as `parseTopology` and `importTfjsModel`
 */
export function readTfjsFile(path: string): SafetensorsFile {
  const topology = parseTopology(new TextDecoder().decode(readWeightsBytes(path)), path);
  const { model, state } = importTfjsModel(topology, readValues(topology, path), path);
  const layers = inferLayers(model);
  const parameters = state.parameters.values();
  const buffers = state.buffers.values();
  const encode = (name: string, shape: readonly number[], values: Float32Array | undefined): Tensor => ({
    name,
    shape,
    dtype: 'F32',
    bytes: encodeFloats(values ?? new Float32Array(0)),
  });
  const tensors = layers.flatMap((layer) => [
    ...layer.parameters.map(({ name, shape }) => encode(name, shape, parameters.next().value)),
    ...layer.buffers.map(({ name, size }) => encode(name, [size], buffers.next().value)),
  ]);
  const notes = topology.own?.notes;
  const metadata = {
    [MODEL_KEY]: JSON.stringify(model),
    ...(notes === undefined ? {} : { [DATA_KEY]: JSON.stringify(notes) }),
  };
  return { tensors, metadata };
}

function readValues({ manifest }: Topology, path: string): TfjsValues {
  const values = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  for (const { paths, weights } of manifest) {
    const bytes = Buffer.concat(paths.map((name) => readWeightsBytes(join(dirname(path), name))));
    const needed = weights.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
    if (bytes.length !== needed) {
      const text = `${path}: ${paths.join(', ')} have ${countOf(bytes.length, 'byte')}, its weights need ${needed}. Copy the files again.`;
      throw new LockstepError('LOCKSTEP_TFJS_FORMAT', text);
    }
    let at = 0;
    for (const { name, shape } of weights) {
      const end = at + 4 * elementCount(shape);
      values.set(name, { shape, values: decodeFloats(bytes.subarray(at, end)) });
      at = end;
    }
  }
  return values;
}

const elementCount = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);
