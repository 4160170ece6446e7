/**
 * A program of somebody who has TensorFlow.js and no Lockstep: loads a LayersModel, predicts, writes the logits.
 * Arguments: folder with node_modules, backend, model.json, file of pixels (bytes), images, file for the logits.
 */
const { createRequire } = require('node:module');
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const [folder, backend, modelFile, pixelFile, count, outFile] = process.argv.slice(2);

/** Without tfjs-node there is no handler for files: what a browser fetches is read here. */
function readModel(tf) {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(modelFile, 'utf8'));
  const [{ paths, weights }] = weightsManifest;
  const bytes = Uint8Array.from(readFileSync(path.join(path.dirname(modelFile), paths[0])));
  return tf.io.fromMemory({ modelTopology, weightSpecs: weights, weightData: bytes.buffer });
}

async function main() {
  const load = createRequire(path.join(folder, 'package.json'));
  const isNode = backend === 'tensorflow';
  const tf = load(isNode ? '@tensorflow/tfjs-node' : '@tensorflow/tfjs');
  await tf.setBackend(backend);
  const model = await tf.loadLayersModel(isNode ? `file://${modelFile}` : readModel(tf));
  const pixels = Float32Array.from(readFileSync(pixelFile));
  const [, height, width, channels] = model.inputs[0].shape;
  const logits = model.predict(tf.tensor4d(pixels, [Number(count), height, width, channels]), { batchSize: 256 });
  writeFileSync(outFile, Buffer.from(Float32Array.from(logits.dataSync()).buffer));
}

main();
