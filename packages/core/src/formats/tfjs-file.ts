/** Reads a LayersModel's files as what a safetensors file of the same network would hold. */

import { realpathSync, statSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { DATA_KEY } from '../data/pixels/data-notes.js';
import { LockstepError } from '../errors/errors.js';
import { inferLayers } from '../model/layers.js';
import { countOf } from '../text/count-text.js';
import { plainText } from '../text/plain-text.js';
import type { SafetensorsFile, Tensor } from './safetensors.js';
import { importTfjsModel } from './tfjs-import.js';
import type { TfjsValues } from './tfjs-source.js';
import { type ManifestWeight, parseTopology, type Topology } from './tfjs-topology.js';
import { cannotRead, decodeFloats, encodeFloats, readWeightsBytes } from './weight-bytes.js';

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
  const finder = new FileFinder(path);
  for (const { paths, weights } of manifest) {
    const bytes = Buffer.concat(finder.find(paths, bytesOf(weights)).map(readWeightsBytes));
    let at = 0;
    for (const { name, shape } of weights) {
      const end = at + 4 * elementCount(shape);
      values.set(name, { shape, values: decodeFloats(bytes.subarray(at, end)) });
      at = end;
    }
  }
  return values;
}

/** Finds the files that a model.json names: nobody but the one who gave it says that they are safe to read. */
class FileFinder {
  readonly #folders: readonly string[];
  readonly #seen = new Set<string>();

  constructor(private readonly modelPath: string) {
    // a cache of downloads has links in the folder, and all files that they lead to in another
    this.#folders = [realpathSync(dirname(modelPath)), dirname(realpathSync(modelPath))];
  }

  /**
   * Each is a file in the folder of model.json or below it, is named once, and together they have so many bytes: more is
   * never read.
   *
   * @throws LockstepError LOCKSTEP_TFJS_FORMAT, LOCKSTEP_WEIGHTS_READ
   */
  find(names: readonly string[], needed: number): string[] {
    const files = names.map((name) => this.#findOne(name));
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    if (bytes === needed) return files.map(({ path }) => path);
    throw this.#error(
      `${names.map(plainText).join(', ')} have ${countOf(bytes, 'byte')}, its weights need ${needed}. Copy the files again.`,
    );
  }

  #findOne(name: string): { readonly path: string; readonly bytes: number } {
    const folder = dirname(this.modelPath);
    const path = resolve(folder, name);
    const shown = plainText(name);
    const isInside = isBelow(resolve(folder), path) && this.#folders.some((own) => isBelow(own, resolveLinks(path)));
    if (!isInside) throw this.#error(`it names weights outside its folder: ${shown}. Put them beside it.`);
    const kind = statSync(path);
    if (!kind.isFile()) throw this.#error(`${shown}, which it names, is no file. Copy the files again.`);
    if (this.#seen.has(path)) throw this.#error(`it names ${shown} twice. Copy the files again.`);
    this.#seen.add(path);
    return { path, bytes: kind.size };
  }

  #error(text: string): LockstepError {
    return new LockstepError('LOCKSTEP_TFJS_FORMAT', `${this.modelPath}: ${text}`);
  }
}

const isBelow = (folder: string, path: string): boolean =>
  path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** @throws LockstepError LOCKSTEP_WEIGHTS_READ */
function resolveLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

const elementCount = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);

const bytesOf = (weights: readonly ManifestWeight[]): number =>
  weights.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
