/**
 * A checkpoint: all that a run needs to go on, bit for bit, on any machine and with any number of workers. Two files:
 *
 *     tensors.safetensors   conv1.weight, 1.running_mean ...           parameters and running statistics
 *                           optimizer/exp_avg/conv1.weight ...         the optimizer's slots
 *                           ema/conv1.weight, ema/1.running_mean ...   the moving average, if the recipe has one
 *                           epoch.results [steps][2]                   loss sum and correct count of each step so far
 *                                                                      of the epoch that is under way
 *     checkpoint.json       everything else, with the SHA-256 of the tensors' file and of itself
 *
 * Nothing in it depends on workers, nodes or the layout of an arena.
 */

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type DataRecord, dataRecordSchema } from '../data/pixels/data-record.js';
import { assert, LockstepError } from '../errors/errors.js';
import type { EpochEvent } from '../events/events.js';
import { parseJson } from '../files/json-text.js';
import { hashWhole } from '../files/whole-file.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../formats/safetensors.js';
import { decodeFloats, encodeFloats } from '../formats/weight-bytes.js';
import { inferLayers, type Layer, modelParameters } from '../model/layers.js';
import {
  type ContributionLayout,
  type ModelState,
  packState,
  planContribution,
  unpackState,
} from '../run/contribution.js';
import { optimizerSlots } from '../run/optimizer.js';
import { type Beginning, beginningSchema } from '../seams/beginning.js';
import type { NodeSnapshot } from '../seams/node.js';
import { type ModelSpec, modelSpecSchema } from '../spec/model-spec.js';
import { type Optimizer, type Recipe, recipeSchema } from '../spec/recipe.js';
import { countOf } from '../text/count-text.js';

export const CHECKPOINT_FILES = { info: 'checkpoint.json', tensors: 'tensors.safetensors' } as const;

/** What a checkpoint says beside its tensors. */
export interface CheckpointInfo {
  /** Steps of the run that are committed. */
  readonly step: number;
  readonly seed: number;
  readonly model: ModelSpec;
  readonly recipe: Recipe;
  readonly dataset: DataRecord;
  /** Checkpoints of before, and runs that began with their seed's weights and kept their recipe, do not say it. */
  readonly beginning?: Beginning | undefined;
  /** Every epoch so far. */
  readonly epochs: readonly EpochEvent[];
  /** Training seconds so far of the epoch under way. */
  readonly epochSeconds: number;
  /** The folder of the run, absolute, on the machine that wrote this; checkpoints of before, and runs without one, do not say it. */
  readonly runFolder?: string | undefined;
}

export interface Checkpoint {
  readonly info: CheckpointInfo;
  readonly snapshot: NodeSnapshot;
}

export interface EncodedCheckpoint {
  readonly info: Uint8Array;
  readonly tensors: Uint8Array;
}

const FORMAT = 'lockstep-checkpoint';
/** Version 1 had a dot where 2 has a slash, which no layer's name has: the average of `conv1` was called as a layer `ema.conv1`. */
const SEPARATORS = { 1: '.', 2: '/' } as const;
type Version = keyof typeof SEPARATORS;
const VERSION: Version = 2;
const NO_SHA256 = '0'.repeat(64);

const count = z.int().min(0);
const infoSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal([1, 2]),
  sha256: z.string(),
  step: count,
  seed: count,
  model: modelSpecSchema,
  recipe: recipeSchema,
  dataset: dataRecordSchema,
  beginning: beginningSchema.optional(),
  epochs: z.array(z.looseObject({ event: z.literal('epoch'), epoch: count })),
  epochSeconds: z.number(),
  runFolder: z.string().optional(),
  tensors: z.object({ bytes: count, sha256: z.string() }),
});

/** torch's names of an optimizer's state. */
function slotNames(optimizer: Optimizer): string[] {
  const names = optimizer.type === 'sgd' ? ['momentum_buffer'] : ['exp_avg', 'exp_avg_sq'];
  return names.slice(0, optimizerSlots(optimizer));
}

/** `optimizer/exp_avg/`: what comes before the name of a parameter. */
const prefixOf = (version: Version, ...parts: readonly string[]): string =>
  parts.map((part) => `${part}${SEPARATORS[version]}`).join('');

/** Puts a checkpoint into bytes. */
export function encodeCheckpoint({ info, snapshot }: Checkpoint): EncodedCheckpoint {
  assert(info.step === snapshot.step, () => `info of step ${info.step} with a snapshot of step ${snapshot.step}`);
  const layers = inferLayers(info.model);
  const layout = planContribution(layers);
  const metadata = { format: 'pt', 'lockstep.checkpoint': String(info.step) };
  const tensors = Buffer.concat(
    encodeSafetensors({ tensors: listTensors(layers, layout, info.recipe, snapshot), metadata }),
  );
  const body = {
    format: FORMAT,
    version: VERSION,
    sha256: NO_SHA256,
    ...info,
    tensors: { bytes: tensors.length, sha256: hashBytes(tensors) },
  };
  const text = `${JSON.stringify(body, null, 2)}\n`;
  return { info: Buffer.from(text.replace(NO_SHA256, hashBytes(Buffer.from(text)))), tensors };
}

/**
 * Reads a checkpoint's bytes and checks all of them.
 *
 * @param source where they came from, for errors
 * @throws LockstepError LOCKSTEP_CHECKPOINT_DAMAGED saying what is wrong
 */
export function decodeCheckpoint(files: EncodedCheckpoint, source: string): Checkpoint {
  const { info, version, tensors: expected } = readInfo(files.info, source);
  if (files.tensors.length !== expected.bytes) {
    throw damaged(source, `its tensors have ${countOf(files.tensors.length, 'byte')}, expected ${expected.bytes}`);
  }
  const sha256 = hashBytes(files.tensors);
  if (sha256 !== expected.sha256) {
    throw damaged(
      source,
      `its tensors have SHA-256 ${sha256.slice(0, 12)}..., expected ${expected.sha256.slice(0, 12)}...`,
    );
  }
  const { tensors } = decodeSafetensors(files.tensors, source);
  const found = new Map(tensors.map((tensor) => [tensor.name, decodeFloats(tensor.bytes)]));
  return { info, snapshot: readSnapshot(info, version, found, source) };
}

interface ReadInfo {
  readonly info: CheckpointInfo;
  readonly version: Version;
  readonly tensors: z.output<typeof infoSchema>['tensors'];
}

function readInfo(bytes: Uint8Array, source: string): ReadInfo {
  const text = Buffer.from(bytes).toString('utf8');
  const written = /"sha256": "([0-9a-f]{64})"/.exec(text)?.[1] ?? '';
  if (hashBytes(Buffer.from(text.replace(written, NO_SHA256))) !== written) {
    throw damaged(source, `${CHECKPOINT_FILES.info} does not have the SHA-256 that it names`);
  }
  const parsed = parseJson(text);
  const result = infoSchema.safeParse('value' in parsed ? parsed.value : undefined);
  if (!result.success) {
    const issue = result.error.issues[0];
    const text = `${issue?.path.join('.')}: ${issue?.message}; it may come from another version of Lockstep`;
    throw damaged(source, `${CHECKPOINT_FILES.info}: ${text}`);
  }
  const { format: _, version, sha256: __, tensors, ...info } = result.data;
  // the events were written by us: the checksum says that they are as they were
  return { info: info as unknown as CheckpointInfo, version, tensors };
}

export const damaged = (source: string, reason: string, cause?: unknown): LockstepError =>
  new LockstepError('LOCKSTEP_CHECKPOINT_DAMAGED', `${source} cannot be used: ${reason}.`, { cause });

const hashBytes = (bytes: Uint8Array): string => hashWhole(createHash('sha256'), bytes).digest('hex');

function listTensors(
  layers: readonly Layer[],
  layout: ContributionLayout,
  recipe: Recipe,
  { state, slots, average, results }: NodeSnapshot,
): Tensor[] {
  const parameters = modelParameters(layers);
  const buffers = layers.flatMap((layer) => layer.buffers);
  const tensor = (name: string, shape: readonly number[], values: Float32Array): Tensor => ({
    name,
    dtype: 'F32',
    shape,
    bytes: encodeFloats(values),
  });
  const listParameters = (prefix: string, { parameters: values }: ModelState): Tensor[] =>
    parameters.map(({ name, shape }, i) => tensor(`${prefix}${name}`, shape, values[i] as Float32Array));
  const listState = (prefix: string, packed: Float32Array): Tensor[] => {
    const unpacked = unpackState(layout, packed);
    const statistics = buffers.map(({ name, size }, i) =>
      tensor(`${prefix}${name}`, [size], unpacked.buffers[i] as Float32Array),
    );
    return [...listParameters(prefix, unpacked), ...statistics];
  };
  return [
    ...listState('', state),
    ...slotNames(recipe.optimizer).flatMap((name, i) =>
      listParameters(prefixOf(VERSION, 'optimizer', name), unpackState(layout, slots[i] as Float32Array)),
    ),
    ...(average === undefined ? [] : listState(prefixOf(VERSION, 'ema'), average)),
    tensor('epoch.results', [results.length / 2, 2], results),
  ];
}

function readSnapshot(
  { model, recipe, step }: CheckpointInfo,
  version: Version,
  found: ReadonlyMap<string, Float32Array>,
  source: string,
): NodeSnapshot {
  const layers = inferLayers(model);
  const layout = planContribution(layers);
  const parameters = modelParameters(layers);
  const buffers = layers.flatMap((layer) => layer.buffers);
  const take = (name: string, size: number): Float32Array => {
    const values = found.get(name);
    if (values?.length !== size)
      throw damaged(source, `tensor ${name} has ${countOf(values?.length ?? 0, 'value')}, expected ${size}`);
    return values;
  };
  const pack = (prefix: string, withBuffers: boolean): Float32Array => {
    const packed = new Float32Array(layout.length);
    const state = {
      parameters: parameters.map(({ name, size }) => take(`${prefix}${name}`, size)),
      buffers: buffers.map(({ name, size }) => (withBuffers ? take(`${prefix}${name}`, size) : new Float32Array(size))),
    };
    packState(layout, state, packed);
    return packed;
  };
  const results = found.get('epoch.results');
  if (results === undefined) throw damaged(source, 'tensor epoch.results is not there');
  return {
    step,
    state: pack('', true),
    slots: slotNames(recipe.optimizer).map((name) => pack(prefixOf(version, 'optimizer', name), false)),
    ...(recipe.ema !== undefined && { average: pack(prefixOf(version, 'ema'), true) }),
    results,
  };
}
