import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeSafetensors } from '@lockstep/core/formats';
import { inferLayers } from '@lockstep/core/model';
import { initialBuffers, initialParameters } from '@lockstep/core/run';
import { parseModelSpec } from '@lockstep/core/spec';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadModelState, MODEL_KEY, readModelOfWeights, saveModelState } from './weights-file.js';

const model = parseModelSpec({
  name: 'small',
  input: { channels: 1, height: 4, width: 4 },
  classes: 2,
  layers: [
    { type: 'conv', outChannels: 3, kernel: 3, name: 'conv1' },
    { type: 'batchNorm' },
    { type: 'flatten' },
    { type: 'linear', outFeatures: 2 },
  ],
});
let path = '';
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-weights-'));
  path = join(folder, 'w.safetensors');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const writeMetadata = (metadata: Record<string, string>): void =>
  writeFileSync(path, Buffer.concat(encodeSafetensors({ tensors: [], metadata })));

it('gives back the state and the model that were saved', () => {
  const layers = inferLayers(model);
  const state = { parameters: initialParameters(layers, 5), buffers: initialBuffers(layers) };
  saveModelState(path, model, state, 12);
  expect(readModelOfWeights(path)).toEqual(model);
  expect(loadModelState(path, model)).toEqual(state);
});

it('asks for the model when the file carries none', () => {
  writeMetadata({ format: 'pt' });
  expect(() => readModelOfWeights(path)).toThrow(
    `LOCKSTEP_WEIGHTS_MODEL: ${path} does not say which model it belongs to. Name it: lockstep evaluate MODEL --weights ${path}`,
  );
});

it.each([
  ['{', 'LOCKSTEP_MODEL_SPEC: lockstep.model of PATH is not JSON'],
  ['{}', 'LOCKSTEP_MODEL_SPEC: lockstep.model of PATH: name: '],
])('rejects the model %s', (text, message) => {
  writeMetadata({ [MODEL_KEY]: text });
  expect(() => readModelOfWeights(path)).toThrow(message.replace('PATH', path));
});

it('names a file that is not there', () => {
  expect(() => readModelOfWeights(path)).toThrow(
    `LOCKSTEP_WEIGHTS_READ: cannot read --weights ${path}: there is no such file`,
  );
});
