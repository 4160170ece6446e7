/** Writes random programs, their inputs and what this machine's kernels make of them, for driver.cc. */
import { appendFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { inferLayers } from '../../packages/core/dist/model/index.js';
import { packState, planContribution, shardCount } from '../../packages/core/dist/run/index.js';
import { parseModelSpec, recipeSchema } from '../../packages/core/dist/spec/index.js';
import {
  checkOwnership,
  HEADER_FIELDS,
  headerFields,
  record,
  recordFields,
} from '../../packages/kernels/dist/index.js';
import { compile } from '../../packages/worker/dist/native-engine/compile.js';
import { prepareNativeStep, TEST_SEED } from '../../packages/worker/dist/native-engine/test-harness.js';
import { randomStep } from '../../packages/worker/dist/native-engine/test-random-programs.js';
import { randomModel } from '../../packages/worker/dist/reference/random-models.js';
import { drawRandomShard, NOISE_NORMALIZATION } from '../../packages/worker/dist/reference/random-shard.js';

/** Where records have an offset into the scratch, / 16: the number of a kind, and the place in its payload. */
const OFFSET_FIELDS = Object.fromEntries(
  Object.entries(recordFields).flatMap(([kind, names]) =>
    names.includes('at') ? [[record[kind], names.indexOf('at')]] : [],
  ),
);
const SCRATCH = headerFields.indexOf('scratchFloats');
const LEAVES = headerFields.indexOf('leavesAt');
/** Word of a tensor's record. */
const SHARD_STRIDE = 2 + recordFields.tensor.indexOf('shardStride');

/**
 * The same program with `gap` * 16 floats behind each piece of its scratch, which a build with AddressSanitizer guards
 * (native/parse.cc).
 */
export function spread(code, gap) {
  const words = code.slice();
  const fields = [LEAVES];
  for (let at = HEADER_FIELDS; at < code.length; at += 2 + code[at + 1]) {
    const field = OFFSET_FIELDS[code[at]];
    if (field !== undefined) fields.push(at + 2 + field);
  }
  const offsets = [...new Set(fields.map((field) => code[field]))].sort((a, b) => a - b);
  const moved = new Map(offsets.map((offset, i) => [offset, offset + gap * i]));
  for (const field of fields) words[field] = moved.get(code[field]);
  words[SCRATCH] = code[SCRATCH] + gap * offsets.length;
  return words;
}

/** Writes `count` programs that break a rule to `file`: random ones with ops dropped, doubled or moved, or memory shared. */
export function writeMalformed(file, { count, seed }) {
  writeFileSync(file, '');
  const changes = fc.tuple(fc.constantFrom('drop', 'double', 'move', 'share'), fc.nat(), fc.nat());
  for (let drawn = 0, written = 0; written < count; drawn += count) {
    const draws = fc.sample(fc.tuple(randomModel, randomStep, changes), { numRuns: count, seed: seed + drawn });
    for (const [model, { step }, [kind, from, to]] of draws) {
      const program = change(
        compileModel(parseModelSpec(model), step.shardSize, step.sampleCount).code,
        kind,
        from,
        to,
      );
      if (written === count || !breaksRule(program)) continue;
      appendArray(file, program);
      written++;
    }
  }
}

function change(code, kind, from, to) {
  const records = [];
  for (let at = HEADER_FIELDS; at < code.length; at += 2 + code[at + 1])
    records.push([...code.subarray(at, at + 2 + code[at + 1])]);
  const at = from % records.length;
  const words = records[at];
  if (kind === 'share' && words[0] === record.tensor) words[SHARD_STRIDE] = 0;
  if (kind === 'drop' || kind === 'move') records.splice(at, 1);
  if (kind === 'double' || kind === 'move') records.splice(to % (records.length + 1), 0, words);
  return Int32Array.from([...code.subarray(0, HEADER_FIELDS), ...records.flat()]);
}

function breaksRule(program) {
  try {
    checkOwnership(program);
    return false;
  } catch {
    return true;
  }
}

/** Writes `count` cases to `file`; the same for the same seed. */
export function writeCases(file, { count, seed, gap }) {
  writeFileSync(file, '');
  const models = fc.sample(fc.tuple(randomModel, randomStep), { numRuns: count, seed });
  for (const [model, { seed: data, step }] of models) {
    for (const array of makeCase(parseModelSpec(model), data, step, gap)) appendArray(file, array);
  }
}

function appendArray(file, array) {
  const length = new Uint8Array(Uint32Array.of(array.length).buffer);
  appendFileSync(file, Buffer.concat([length, new Uint8Array(array.buffer, array.byteOffset, array.byteLength)]));
}

function compileModel(model, shardSize, samples) {
  const layers = inferLayers(model);
  const layout = planContribution(layers);
  const perChannel = (value) => Array.from({ length: model.input.channels }, () => value);
  const normalization = { mean: perChannel(NOISE_NORMALIZATION.mean), std: perChannel(NOISE_NORMALIZATION.std) };
  const recipe = { shardSize, batchSize: samples };
  const { code, waveShards } = compile({ layers, layout, recipe: recipeSchema.parse(recipe), normalization });
  return { layers, layout, normalization, recipe, code, waveShards };
}

function makeCase(model, seed, { shardSize, sampleCount: samples }, gap) {
  const { layers, layout, normalization, recipe, code, waveShards } = compileModel(model, shardSize, samples);
  const { parameters, buffers, images, labels } = drawRandomShard(layers, { seed, sampleCount: samples });
  const state = new Float32Array(layout.length);
  const toFloat32 = (values) => Float32Array.from(values);
  packState(layout, { parameters: parameters.map(toFloat32), buffers: buffers.map(toFloat32) }, state);
  const run = prepareNativeStep({ model, recipe, parameters, buffers, images, labels, samples, normalization });
  const shards = shardCount(samples, shardSize);
  const partials = listWaves(shards, waveShards).flatMap(([begin, end]) => run.computePartials(begin, end));
  const expected = new Float32Array(layout.length * partials.length);
  for (const [i, partial] of partials.entries()) expected.set(partial, layout.length * i);
  const order = Int32Array.from({ length: samples }, (_, i) => i);
  return [spread(code, gap), state, images, labels, order, Int32Array.of(samples, shards, TEST_SEED), expected];
}

/** Ranges of shards that the kernels take at once. */
function listWaves(shards, most) {
  const groups = [];
  for (let shard = 0; shard < shards; ) {
    let size = most;
    while (shard % size !== 0 || shard + size > shards) size /= 2;
    groups.push([shard, shard + size]);
    shard += size;
  }
  return groups;
}
