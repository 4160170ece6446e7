/** Readers of weights and of checkpoints. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { dist } from './common.mjs';

async function weights() {
  const { smallModel, makeCheckpoint } = await dist('core/dist/state/test-checkpoint');
  const { inferLayers } = await dist('core/dist/model/index');
  return { smallModel, makeCheckpoint, layers: inferLayers(smallModel) };
}

const safetensors = (dtype) => ({
  async open(at) {
    const { encodeSafetensors } = await dist('core/dist/formats/index');
    const { loadWeights, readTensors } = await dist('core/dist/state/index');
    const { readDataNotes, readModelOfWeights } = await dist('cli/dist/settings/weights-file');
    const { assumeData } = await dist('core/dist/data/index');
    const { smallModel, layers } = await weights();
    const bytesOf = { F32: 4, BF16: 2, F64: 8 }[dtype];
    const wanted = layers.flatMap((layer) => [
      ...layer.parameters,
      ...layer.buffers.map(({ name, size }) => ({ name, size, shape: [size] })),
    ]);
    const tensors = wanted.map(({ name, size, shape }) => ({
      name: dtype === 'F32' ? name : `module.${name}`,
      shape,
      dtype,
      bytes: new Uint8Array(size * bytesOf).fill(0x3c),
    }));
    const metadata = {
      'lockstep.model': JSON.stringify(smallModel),
      'lockstep.data': JSON.stringify(assumeData(smallModel)),
    };
    const file = path.join(at, 'w.safetensors');
    const read = () => {
      const model = readModelOfWeights(file);
      readDataNotes(file, model);
      readTensors(file, layers, () => {});
      const { parameters } = loadWeights(file, layers, () => {});
      if (parameters.some(({ length }, i) => length !== layers.flatMap((layer) => layer.parameters)[i].size)) {
        throw new Error('a parameter has another size');
      }
    };
    return {
      files: { 'w.safetensors': Buffer.concat(encodeSafetensors({ tensors, metadata })) },
      damaged: 'w.safetensors',
      read,
    };
  },
});

const tfjs = (damaged) => ({
  async open(at) {
    const { encodeTfjsModel, encodeFloats, readTfjsFile } = await dist('core/dist/formats/index');
    const { assumeData } = await dist('core/dist/data/index');
    const { initialBuffers, initialParameters } = await dist('core/dist/run/index');
    const { parseModelSpec } = await dist('core/dist/spec/index');
    const { smallModel, layers } = await weights();
    const state = { parameters: initialParameters(layers, 1), buffers: initialBuffers(layers) };
    const { modelJson, weights: floats } = encodeTfjsModel(smallModel, state, assumeData(smallModel));
    // without what Lockstep notes the layers themselves are read
    const plain = { ...modelJson, userDefinedMetadata: {} };
    const files = { 'model.json': JSON.stringify(plain), 'weights.bin': encodeFloats(floats) };
    const read = () => parseModelSpec(JSON.parse(readTfjsFile(path.join(at, 'model.json')).metadata['lockstep.model']));
    return { files, damaged, read };
  },
});

const checkpoint = (damaged, sealWith) => ({
  async open(at) {
    const { encodeCheckpoint, findCheckpoint } = await dist('core/dist/state/index');
    const { makeCheckpoint } = await weights();
    const { info, tensors } = encodeCheckpoint(makeCheckpoint(2, { ema: 0.9 }));
    const files = { 'checkpoint.json': info, 'tensors.safetensors': tensors };
    const seal = sealWith?.(at, info);
    return { files, damaged, seal, read: () => findCheckpoint(at) };
  },
});

const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** So that the text is looked at, and not only its hash. */
const sealInfo = () => (bytes) => {
  const text = bytes.toString('latin1').replace(/"sha256": "[0-9a-f]{64}"/, `"sha256": "${'0'.repeat(64)}"`);
  return Buffer.from(text.replace('0'.repeat(64), hashOf(Buffer.from(text, 'latin1').toString('utf8'))), 'latin1');
};

/** So that the tensors are looked at: the text beside them names their size and hash. */
const sealTensors = (at, info) => (bytes) => {
  const body = { ...JSON.parse(Buffer.from(info).toString()), sha256: '0'.repeat(64) };
  body.tensors = { bytes: bytes.length, sha256: hashOf(bytes) };
  writeFileSync(path.join(at, 'checkpoint.json'), sealInfo()(Buffer.from(JSON.stringify(body, null, 2))));
  return bytes;
};

export const WEIGHT_READERS = {
  safetensors: safetensors('F32'),
  'safetensors of a wrapper, BF16': safetensors('BF16'),
  'safetensors of a wrapper, F64': safetensors('F64'),
  'a LayersModel': tfjs('model.json'),
  'weights of a LayersModel': tfjs('weights.bin'),
  'a checkpoint': checkpoint('checkpoint.json'),
  'a checkpoint with its hash': checkpoint('checkpoint.json', sealInfo),
  'tensors of a checkpoint with their hash': checkpoint('tensors.safetensors', sealTensors),
};
