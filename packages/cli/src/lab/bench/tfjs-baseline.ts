/**
 * A process that trains a network as a user of TensorFlow.js would: model.compile, then model.trainOnBatch in a loop, with
 * the library's own threads. Told what to do by one line of JSON on stdin for each measurement, answers with images/s.
 */
import { createInterface } from 'node:readline';
import type { TfjsModel } from '@lockstep/core/formats';
import { loadTensorFlow } from '@lockstep/worker/tensorflow-engine';

/** The first line. */
export interface BaselineTask {
  /** Where @tensorflow/tfjs-node is installed. */
  readonly folder: string;
  readonly modelTopology: TfjsModel['modelJson']['modelTopology'];
  readonly batchSize: number;
  readonly classes: number;
  readonly labels: readonly number[];
  /** [sample][row][column][channel], normalized. */
  readonly inputs: readonly number[];
  readonly inputShape: readonly number[];
}

interface LayersModel {
  compile(options: { optimizer: unknown; loss: string }): void;
  trainOnBatch(x: unknown, y: unknown): Promise<unknown>;
}

interface Tfjs {
  tensor(values: Float32Array, shape: readonly number[]): unknown;
  train: { adam(rate: number): unknown };
  loadLayersModel(handler: unknown): Promise<LayersModel>;
}

const WARM_UP_STEPS = 3;

async function prepare(task: BaselineTask): Promise<() => Promise<unknown>> {
  const tf = loadTensorFlow(task.folder) as unknown as Tfjs;
  // without weights tfjs draws its own
  const model = await tf.loadLayersModel({ load: async () => ({ modelTopology: task.modelTopology }) });
  model.compile({ optimizer: tf.train.adam(1e-3), loss: 'categoricalCrossentropy' });
  const x = tf.tensor(Float32Array.from(task.inputs), [task.batchSize, ...task.inputShape]);
  const targets = new Float32Array(task.batchSize * task.classes);
  task.labels.forEach((label, i) => {
    targets[i * task.classes + label] = 1;
  });
  const y = tf.tensor(targets, [task.batchSize, task.classes]);
  return () => model.trainOnBatch(x, y);
}

async function measure(step: () => Promise<unknown>, batchSize: number, seconds: number): Promise<number> {
  const beganMs = performance.now();
  let steps = 0;
  for (; performance.now() - beganMs < 1000 * seconds; steps++) await step();
  return (1000 * steps * batchSize) / (performance.now() - beganMs);
}

let step: (() => Promise<unknown>) | undefined;
let batchSize = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as BaselineTask | { readonly seconds: number };
  if ('seconds' in message) {
    if (step)
      process.stdout.write(`${JSON.stringify({ imagesPerSecond: await measure(step, batchSize, message.seconds) })}\n`);
    continue;
  }
  batchSize = message.batchSize;
  step = await prepare(message);
  for (let i = 0; i < WARM_UP_STEPS; i++) await step();
}
