/** Files made to take all memory or time: each is refused with its code. */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { dist, openData } from './common.mjs';

const PIECE = new Uint8Array(16 * 2 ** 20);
const PIECES = 100;
/** 1.7 GB of zeros behind `start`. A gzip file may have several parts. */
const gzipBomb = (start) => Buffer.concat([gzipSync(start), ...Array(PIECES).fill(gzipSync(PIECE))]);
const deep = (open, depth = 200_000) => open.repeat(depth);

/** An archive that says truly how much is in it, in the one member x.npy: an array of two pixels and 1.7 GB of zeros. */
async function npzBomb() {
  const { bytesArray } = await dist('core/dist/data/arrays/test-arrays');
  const start = bytesArray([2, 1, 1], [1, 2]);
  const flushed = { finishFlush: constants.Z_FULL_FLUSH };
  const zeros = deflateRawSync(PIECE, flushed);
  const packed = Buffer.concat([deflateRawSync(start, flushed), ...Array(PIECES).fill(zeros), deflateRawSync('')]);
  const name = Buffer.from('x.npy');
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt32LE(start.length + PIECES * PIECE.length, 24);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length + name.length + packed.length, 16);
  return Buffer.concat([local, name, packed, entry, name, end]);
}

async function write(at, name, bytes) {
  const file = path.join(at, name);
  mkdirSync(at, { recursive: true });
  writeFileSync(file, await bytes);
  return file;
}

/** By what they are: how each is written into a folder and read, and the code with which it is refused. */
export const HOSTILE = {
  'a gzip file as IDX': [
    'LOCKSTEP_DATA_GZIP',
    async (at) => {
      const { encodeIdxImages, encodeIdxLabels } = await dist('core/dist/data/readers/index');
      const images = encodeIdxImages({ count: 2, channels: 1, height: 1, width: 1, pixels: Uint8Array.of(1, 2) });
      for (const part of ['train', 't10k']) {
        await write(at, `${part}-images-idx3-ubyte`, gzipBomb(images));
        await write(at, `${part}-labels-idx1-ubyte`, encodeIdxLabels(Uint8Array.of(0, 1)));
      }
      return openData(at);
    },
  ],
  'a gzip file as a table': [
    'LOCKSTEP_DATA_CSV',
    async (at) => openData(await write(at, 'x.csv.gz', gzipBomb('a,b\n'))),
  ],
  'a table of one line': [
    'LOCKSTEP_DATA_CSV',
    async (at) => {
      const file = await write(at, 'x.csv', '');
      truncateSync(file, 2 ** 28);
      return openData(file);
    },
  ],
  'an npz with a huge member': [
    'LOCKSTEP_DATA_NPZ',
    async (at) => {
      const { bytesArray, makeNpz } = await dist('core/dist/data/arrays/test-arrays');
      await write(at, 'x.npz', npzBomb());
      await write(at, 'y.npz', makeNpz({ y: bytesArray([2], [0, 1]) }));
      return openData(at);
    },
  ],
  'weights outside their folder': [
    'LOCKSTEP_TFJS_FORMAT',
    async (at) => {
      const { readTfjsFile } = await dist('core/dist/formats/index');
      const { encodeTfjsModel } = await dist('core/dist/formats/index');
      const { assumeData } = await dist('core/dist/data/index');
      const { initialBuffers, initialParameters } = await dist('core/dist/run/index');
      const { inferLayers } = await dist('core/dist/model/index');
      const { smallModel } = await dist('core/dist/state/test-checkpoint');
      const layers = inferLayers(smallModel);
      const state = { parameters: initialParameters(layers, 1), buffers: initialBuffers(layers) };
      const { modelJson } = encodeTfjsModel(smallModel, state, assumeData(smallModel), '/dev/zero');
      return readTfjsFile(await write(at, 'model.json', JSON.stringify(modelJson)));
    },
  ],
  'a model of brackets': [
    'LOCKSTEP_MODEL_JSON',
    async (at) => {
      const { loadModelSpec } = await dist('core/dist/zoo/index');
      return loadModelSpec(await write(at, 'm.json', deep('{"layers":')));
    },
  ],
  'settings of brackets': [
    'LOCKSTEP_CONFIG',
    async (at) => {
      const { readConfigFile } = await dist('cli/dist/settings/config-file');
      return readConfigFile(await write(at, 'x.yaml', deep('[', 100_000)));
    },
  ],
  'a header of brackets': [
    'LOCKSTEP_WEIGHTS_FORMAT',
    async (at) => {
      const { checkWeightsFile } = await dist('cli/dist/settings/weights-file');
      const header = Buffer.from(deep('{"a":'));
      const length = Buffer.alloc(8);
      length.writeUInt32LE(header.length);
      return checkWeightsFile(await write(at, 'w.safetensors', Buffer.concat([length, header])));
    },
  ],
  'a chronicle of brackets': [
    'LOCKSTEP_DASHBOARD_FOLDER',
    async (at) => {
      const { readChronicle } = await dist('cli/dist/commands/dashboard');
      await write(at, 'chronicle.json', deep('{"about":['));
      return readChronicle(at);
    },
  ],
};
