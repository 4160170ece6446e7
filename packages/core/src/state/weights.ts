/** Weights on disk, under PyTorch's names, and the hash that tells whether two networks are the same to the last bit. */

import { createHash } from 'node:crypto';
import { assert, LockstepError } from '../errors/errors.js';
import { writeFileAtomically } from '../files/atomic-file.js';
import { decodeSafetensors, encodeSafetensors, type SafetensorsFile, type Tensor } from '../formats/safetensors.js';
import { adoptTensors, type Tell } from '../formats/tensor-form.js';
import { isTfjsPath, readTfjsFile } from '../formats/tfjs-file.js';
import { decodeFloats, encodeFloats, readWeightsBytes } from '../formats/weight-bytes.js';
import { headIndex, type Layer } from '../model/layers.js';
import type { ModelState } from '../run/contribution.js';
import { countOf } from '../text/count-text.js';

export interface SaveOptions {
  /** Training steps so far: PyTorch's `num_batches_tracked`. */
  readonly steps?: number;
  /** Kept in the header, as strings. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes weights as a safetensors file, atomically, with the names and shapes of the same network's state_dict in
 * PyTorch: `load_state_dict(safetensors.torch.load_file(path))` of the nn.Sequential takes it as it is.
 *
 * @throws LockstepError LOCKSTEP_WEIGHTS_WRITE when the file cannot be written
 */
export function saveWeights(
  path: string,
  layers: readonly Layer[],
  weights: ModelState,
  options: SaveOptions = {},
): void {
  const { steps = 0, metadata = {} } = options;
  const counters = listCounters(layers).map((name) => encodeCounter(name, steps));
  const floats = pairTensors(layers, weights).map(([{ name, shape }, values]) => ({
    name,
    shape,
    dtype: 'F32',
    bytes: encodeFloats(values),
  }));
  // 8-byte counters come first, so that every tensor is aligned to its own element size.
  const parts = encodeSafetensors({ tensors: [...counters, ...floats], metadata: { format: 'pt', ...metadata } });
  try {
    writeFileAtomically(path, parts);
  } catch (error) {
    const text = `cannot write weights to ${path}: ${(error as Error).message}. Is the folder there, writable and not full?`;
    throw new LockstepError('LOCKSTEP_WEIGHTS_WRITE', text, { cause: error });
  }
}

/**
 * Reads weights of a network, float32 or of another float type. `num_batches_tracked` may be there or not, and every
 * name may have the prefix of a wrapper.
 *
 * @param tell takes a line about a prefix that was taken off, or values that were converted
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ (cannot be read), LOCKSTEP_WEIGHTS_FORMAT (damaged),
 *   LOCKSTEP_WEIGHTS_MISMATCH (of another network: lists missing, unexpected and wrongly shaped tensors)
 */
export function loadWeights(path: string, layers: readonly Layer[], tell: Tell = () => {}): ModelState {
  const found = new Map(readFor(layers, path, tell).map((tensor) => [tensor.name, tensor]));
  const parameters = layers.flatMap((layer) => layer.parameters).map(toWanted);
  const buffers = layers.flatMap((layer) => layer.buffers).map(toWanted);
  checkMatch([...parameters, ...buffers], layers, found, path);
  const read = ({ name }: WantedTensor): Float32Array => decodeFloats((found.get(name) as Tensor).bytes);
  return { parameters: parameters.map(read), buffers: buffers.map(read) };
}

/** A tensor of a weights file: its shape, and its values if they are float32. */
export interface WeightsTensor {
  readonly shape: readonly number[];
  /** F32, I64, ... */
  readonly dtype: string;
  readonly values?: Float32Array;
}

/**
 * Every tensor of a weights file by its name, whatever network it is of; brought to the form of a network's as
 * `loadWeights` does.
 *
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ, LOCKSTEP_WEIGHTS_FORMAT
 */
export function readTensors(path: string, layers: readonly Layer[], tell: Tell): Map<string, WeightsTensor> {
  return new Map(
    readFor(layers, path, tell).map(({ name, shape, dtype, bytes }) => [
      name,
      { shape, dtype, ...(dtype === 'F32' && { values: decodeFloats(bytes) }) },
    ]),
  );
}

/** The tensors of a file in the form of those of a network. */
function readFor(layers: readonly Layer[], path: string, tell: Tell): Tensor[] {
  const names = layers.flatMap((layer) => [...layer.parameters, ...layer.buffers].map(({ name }) => name));
  return adoptTensors(readWeightsFile(path).tensors, new Set(names), path, tell);
}

/**
 * SHA-256 (hex) over the float32 values, little-endian, in the model's order: for each layer its parameters, then its
 * running mean and variance.
 */
export function hashParameters(layers: readonly Layer[], weights: ModelState): string {
  const hash = createHash('sha256');
  for (const [, values] of pairTensors(layers, weights)) hash.update(encodeFloats(values));
  return hash.digest('hex');
}

/** A float tensor of the model's state_dict. */
interface WantedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

const toWanted = (spec: { name: string; size: number; shape?: readonly number[] }): WantedTensor => ({
  name: spec.name,
  shape: spec.shape ?? [spec.size],
});

/** Every float tensor with its values, in the model's order: a layer's parameters, then its buffers. */
function pairTensors(layers: readonly Layer[], { parameters, buffers }: ModelState): [WantedTensor, Float32Array][] {
  let parameterIndex = 0;
  let bufferIndex = 0;
  const pair = (
    spec: { name: string; size: number },
    values: Float32Array | undefined,
  ): [WantedTensor, Float32Array] => {
    assert(
      values?.length === spec.size,
      () => `${spec.name} has ${countOf(values?.length ?? 0, 'value')}, expected ${spec.size}`,
    );
    return [toWanted(spec), values as Float32Array];
  };
  return layers.flatMap((layer) => [
    ...layer.parameters.map((spec) => pair(spec, parameters[parameterIndex++])),
    ...layer.buffers.map((spec) => pair(spec, buffers[bufferIndex++])),
  ]);
}

/** PyTorch counts batches for each batch norm; Lockstep has no use for it, but load_state_dict(strict=True) asks for it. */
const listCounters = (layers: readonly Layer[]): string[] =>
  layers.filter((layer) => layer.spec.type === 'batchNorm').map((layer) => `${layer.name}.num_batches_tracked`);

function encodeCounter(name: string, count: number): Tensor {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(count), true);
  return { name, dtype: 'I64', shape: [], bytes };
}

function checkMatch(
  wanted: readonly WantedTensor[],
  layers: readonly Layer[],
  found: ReadonlyMap<string, Tensor>,
  path: string,
): void {
  const ignored = new Set(listCounters(layers));
  const expected = new Set(wanted.map((one) => one.name));
  const missing = wanted.filter(({ name }) => !found.has(name)).map(({ name }) => name);
  const unexpected = [...found.keys()].filter((name) => !expected.has(name) && !ignored.has(name));
  const different = wanted.flatMap((one) => describeDifference(one, found.get(one.name)));
  if (missing.length + unexpected.length === 0) checkHead(layers, different, found, path);
  const complaints = [
    missing.length > 0 ? `missing: ${missing.join(', ')}` : '',
    unexpected.length > 0 ? `unexpected: ${unexpected.join(', ')}` : '',
    different.length > 0 ? `different: ${different.join(', ')}` : '',
  ].filter((text) => text !== '');
  if (complaints.length === 0) return;
  throw new LockstepError(
    'LOCKSTEP_WEIGHTS_MISMATCH',
    `${path} does not fit this model: ${complaints.join('; ')}. Give the model that the weights were saved from.`,
  );
}

/** Weights that differ in nothing but the number of classes are of this model with another head. */
function checkHead(
  layers: readonly Layer[],
  different: readonly string[],
  found: ReadonlyMap<string, Tensor>,
  path: string,
): void {
  const head = layers[headIndex(layers.map(({ spec }) => spec))]?.parameters ?? [];
  const isOfOthers = ({ name, shape }: WantedTensor): boolean => {
    const theirs = found.get(name);
    return (
      theirs?.dtype === 'F32' && theirs.shape[0] !== shape[0] && theirs.shape.slice(1).join() === shape.slice(1).join()
    );
  };
  if (different.length === 0 || different.length !== head.length || !head.every(isOfOthers)) return;
  const [wanted, theirs] = [head[0]?.shape[0], found.get(head[0]?.name ?? '')?.shape[0]];
  throw new LockstepError(
    'LOCKSTEP_WEIGHTS_MISMATCH',
    `${path} has weights for ${countOf(theirs ?? 0, 'class', 'classes')}, the model here has ${wanted}: ${different.join(', ')}. ` +
      `To train a new last layer on the other weights, give train --replace-head ${wanted}.`,
  );
}

function describeDifference({ name, shape }: WantedTensor, tensor: Tensor | undefined): string[] {
  if (tensor === undefined) return [];
  const isSame = tensor.dtype === 'F32' && tensor.shape.join() === shape.join();
  const given = `${tensor.dtype} [${tensor.shape.join(', ')}]`;
  return isSame ? [] : [`${name} is ${given}, expected F32 [${shape.join(', ')}]`];
}

/**
 * Everything in a weights file: safetensors, or the model.json of TensorFlow.js with the files that it names.
 *
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ, LOCKSTEP_WEIGHTS_FORMAT; LOCKSTEP_TFJS_FORMAT, LOCKSTEP_TFJS_LAYER
 */
function readWeightsFile(path: string): SafetensorsFile {
  return isTfjsPath(path) ? readTfjsFile(path) : decodeSafetensors(readWeightsBytes(path), path);
}
