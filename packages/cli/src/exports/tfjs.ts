/** `--format tfjs`. */
import { basename, dirname, join } from 'node:path';
import { LockstepError } from '@lockstep/core/errors';
import { createFolder } from '@lockstep/core/files';
import { encodeFloats, encodeTfjsModel } from '@lockstep/core/formats';
import type { ExportFormat } from './export-format.js';
import { writeExport } from './output.js';

export const tfjsFormat: ExportFormat = {
  name: 'tfjs',
  description: 'a LayersModel for tf.loadLayersModel; pixels 0 to 255 in, logits out',
  suffix: '-tfjs/model.json',
  async write({ model, state, notes }, path) {
    if (!/\.json$/i.test(path)) {
      throw new LockstepError(
        'LOCKSTEP_CLI_OPTION',
        `--out ${path}: a LayersModel is a .json file with its weights beside it. Give a path such as ${join(path, 'model.json')}.`,
      );
    }
    const stem = basename(path).replace(/\.json$/i, '');
    const weightsFile = stem === 'model' ? 'weights.bin' : `${stem}.bin`;
    const { modelJson, weights } = encodeTfjsModel(model, state, notes, weightsFile);
    makeFolder(dirname(path));
    // the model last: it is what a reader opens first
    writeExport(join(dirname(path), weightsFile), encodeFloats(weights));
    writeExport(path, JSON.stringify(modelJson, null, 2));
    const { channels, height, width } = model.input;
    return [
      `with ${weightsFile} beside it; keep the two together`,
      `tf.loadLayersModel(...).predict(pixels): float32 [batch, ${height}, ${width}, ${channels}], 0 to 255, to logits [batch, ${model.classes}]`,
    ];
  },
};

function makeFolder(path: string): void {
  try {
    createFolder(path);
  } catch (error) {
    const text = `cannot make the folder ${path}: ${(error as Error).message}. Choose another path with --out.`;
    throw new LockstepError('LOCKSTEP_OUTPUT_WRITE', text, { cause: error });
  }
}
