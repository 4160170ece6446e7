/**
 * A process with two threads, each of which computes steps of gap19k with a tensorflow engine of its own. Prints a line of
 * JSON: of each thread, how many tensors TensorFlow.js holds after the first step and after the last.
 *
 * node test/tensorflow/tensorflow-threads.mjs STEPS
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadEmbedded } from '../../packages/core/dist/data/mnist/index.js';
import { inferLayers } from '../../packages/core/dist/model/index.js';
import { initialBuffers, initialParameters } from '../../packages/core/dist/run/index.js';
import { findZooModel } from '../../packages/core/dist/zoo/index.js';
import { prepareTensorFlow } from '../../packages/worker/dist/tensorflow-engine/index.js';
import { EngineRun, sharedTensorFlow } from '../../packages/worker/dist/tensorflow-engine/test-engines.js';

const THREADS = 2;
const SAMPLES = 16;

if (isMainThread) {
  prepareTensorFlow();
  const steps = Number(process.argv[2]);
  const workers = Array.from({ length: THREADS }, (_, seed) => {
    return new Worker(new URL(import.meta.url), { workerData: { steps, seed } });
  });
  const counts = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  await Promise.all(workers.map((worker) => worker.terminate()));
  console.log(JSON.stringify(counts));
} else {
  parentPort.postMessage(await countTensors(workerData));
}

async function countTensors({ steps, seed }) {
  const { model, recipe } = findZooModel('gap19k');
  const layers = inferLayers(model);
  const { train, mean, std } = await loadEmbedded();
  const run = new EngineRun('tensorflow', {
    model,
    recipe,
    state: { parameters: initialParameters(layers, seed), buffers: initialBuffers(layers) },
    data: train,
    samples: SAMPLES,
    normalization: { mean, std },
  });
  const counts = [];
  for (let step = 0; step < steps; step++) {
    run.contribute({ step });
    if (step === 0 || step === steps - 1) counts.push(sharedTensorFlow().memory().numTensors);
  }
  const [afterFirst, afterLast] = counts;
  return { afterFirst, afterLast };
}
