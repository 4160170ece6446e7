/** Weights files that carry their model, so that they can be evaluated without naming it. */
import { statSync } from 'node:fs';
import { DATA_KEY, type DataNotes, parseDataNotes } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import { parseJson, readWholeFile } from '@lockstep/core/files';
import { decodeSafetensors, isTfjsPath, readTfjsFile, type SafetensorsFile, type Tell } from '@lockstep/core/formats';
import { inferLayers } from '@lockstep/core/model';
import type { ModelState } from '@lockstep/core/run';
import { type ModelSpec, parseModelSpec } from '@lockstep/core/spec';
import { loadWeights, saveWeights } from '@lockstep/core/state';
import { LATEST } from '@lockstep/watch/files';
import { optionError, quote } from '../fields/field.js';

/**
 * Of a command that was given no weights.
 *
 * @param word what it was given for a model: often it is the weights
 */
export function weightsMissing(command: string, word?: string): LockstepError {
  const isWeights = word !== undefined && (word === LATEST || /\.safetensors$/.test(word) || isFolder(word));
  const hint = isWeights ? `. Did you mean --weights ${quote(word)}?` : '';
  return optionError(
    `${command} needs --weights <file>: a .safetensors file, the folder of a run, or \`latest\` for the latest run${hint}`,
  );
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Key of the model spec, as JSON, in the file's `__metadata__`. */
export const MODEL_KEY = 'lockstep.model';
const STEPS_KEY = 'lockstep.steps';

/** Writes a state with its model and what is to be known of its data; throws as core's `saveWeights`. */
export function saveModelState(
  path: string,
  model: ModelSpec,
  state: ModelState,
  steps: number,
  notes?: DataNotes,
): void {
  const metadata = {
    [MODEL_KEY]: JSON.stringify(model),
    [STEPS_KEY]: String(steps),
    ...(notes && { [DATA_KEY]: JSON.stringify(notes) }),
  };
  saveWeights(path, inferLayers(model), state, { steps, metadata });
}

/** The steps that the weights of a file were trained for; undefined when there are none that say them. */
export function readStepsOfWeights(path: string): number | undefined {
  try {
    const steps = readContent(path).metadata[STEPS_KEY];
    return steps === undefined ? undefined : Number(steps);
  } catch (error) {
    if (error instanceof LockstepError) return undefined;
    throw error;
  }
}

/** Reads the state of a model; tells and throws as core's `loadWeights`. */
export const loadModelState = (path: string, model: ModelSpec, tell?: Tell): ModelState =>
  loadWeights(path, inferLayers(model), tell);

/**
 * The model that a weights file carries.
 *
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ, LOCKSTEP_WEIGHTS_FORMAT; LOCKSTEP_WEIGHTS_MODEL when it carries none;
 *   LOCKSTEP_MODEL_SPEC, LOCKSTEP_MODEL_SHAPE when that is not a model
 */
export function readModelOfWeights(path: string, command = 'evaluate'): ModelSpec {
  const text = readContent(path).metadata[MODEL_KEY];
  if (text === undefined) {
    throw new LockstepError(
      'LOCKSTEP_WEIGHTS_MODEL',
      `${path} does not say which model it belongs to. Name it: lockstep ${command} MODEL --weights ${path}`,
    );
  }
  const parsed = parseJson(text);
  const source = `${MODEL_KEY} of ${path}`;
  if ('fault' in parsed) throw new LockstepError('LOCKSTEP_MODEL_SPEC', `${source} is not JSON: ${parsed.fault.text}`);
  const model = parseModelSpec(parsed.value, source);
  inferLayers(model);
  return model;
}

/**
 * What a weights file says of the data that its model was trained on; undefined when it says nothing.
 *
 * @param hasNewHead `model` has another last layer than the file
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ, LOCKSTEP_WEIGHTS_FORMAT, LOCKSTEP_WEIGHTS_DATA
 */
export function readDataNotes(path: string, model: ModelSpec, hasNewHead = false): DataNotes | undefined {
  const { [DATA_KEY]: notes, [MODEL_KEY]: carried } = readContent(path).metadata;
  // Notes are about the classes of the head that the file has.
  const noted = hasNewHead && carried !== undefined ? readModelOfWeights(path) : model;
  return parseDataNotes(notes, noted, path);
}

/**
 * Finds out that a weights file is of no use before the work that needs it.
 *
 * @throws LockstepError LOCKSTEP_WEIGHTS_READ, LOCKSTEP_WEIGHTS_FORMAT; LOCKSTEP_TFJS_FORMAT, LOCKSTEP_TFJS_LAYER
 */
export function checkWeightsFile(path: string): void {
  readContent(path);
}

/** Safetensors, or a LayersModel of TensorFlow.js. */
const readContent = (path: string): SafetensorsFile =>
  isTfjsPath(path) ? readTfjsFile(path) : decodeSafetensors(readBytes(path), path);

function readBytes(path: string): Uint8Array {
  try {
    return readWholeFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message;
    throw new LockstepError('LOCKSTEP_WEIGHTS_READ', `cannot read --weights ${path}: ${reason}`, { cause: error });
  }
}
