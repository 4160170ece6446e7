/** Writes the arguments of one training step of a model to a file, for driver.cc. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { findZooModel } from '../../packages/core/dist/zoo/index.js';
import { SingleStep } from '../../packages/worker/dist/single-step/index.js';

const SHARD = 16;
const SEED = 1;
const SIDE = 28;
const NORMALIZATION = { mean: [0.1307], std: [0.3081] };
/** Node-API's numbers for array types. */
const TYPES = { Uint8Array: 1, Int32Array: 5, Float32Array: 7, Float64Array: 8 };

/**
 * @param shards samples of the step / 16
 * @param isa the build of the kernels that plans the step's memory; any that can run here
 */
export function exportStep(modelName, shards, isa, file) {
  const { model, recipe } = findZooModel(modelName);
  const { augmentation, dropout } = recipe;
  const data = makeDigits(shards * SHARD);
  const step = new SingleStep({
    model,
    recipe: recipeSchema.parse({ batchSize: shards * SHARD, augmentation, dropout }),
    seed: SEED,
    data,
    normalization: NORMALIZATION,
    isa,
  });
  const { program, arena, order, call, updateBlock, partials, fold, pieces } = step.args;
  const handle = openSync(file, 'w');
  // Of the arena only the state is not zero; it stands at the start.
  writeArray(handle, program);
  writeArray(handle, arena, arena.findLastIndex((value) => value !== 0) + 1);
  for (const array of [data.images, data.labels, order, call, updateBlock, partials, fold, pieces])
    writeArray(handle, array);
  closeSync(handle);
}

/** Bright pixels and dark ones in roughly the share of MNIST, the same on every machine. */
function makeDigits(count) {
  const images = new Uint8Array(count * SIDE * SIDE);
  for (let i = 0; i < images.length; i++) images[i] = (i * 2_654_435_761) % 97 < 20 ? (i * 37) % 256 : 0;
  return { images, labels: Uint8Array.from({ length: count }, (_, i) => i % 10) };
}

function writeArray(handle, array, given = array.length) {
  const header = BigUint64Array.of(BigInt(TYPES[array.constructor.name]), BigInt(array.length), BigInt(given));
  for (const part of [header, array.subarray(0, given)])
    writeSync(handle, new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
}
