/**
 * Trains a network of the zoo on digits, saves it, loads it again and lets it read some.
 *
 *     node examples/train-and-predict.mjs [FILE]
 *
 * Data is MNIST from the cache or the network, else the 10,000 images that come with Lockstep.
 */
import { loadMnist, loadModel, train } from 'lockstep';

const file = process.argv[2] ?? 'digits.safetensors';
const dataset = await loadMnist({ offline: process.env.LOCKSTEP_OFFLINE === '1' });
const run = train({ model: 'tiny6k', recipe: { epochs: 2 }, data: dataset, seed: 1 });

for await (const event of run) {
  if (event.event !== 'epoch') continue;
  console.log(`epoch ${event.epoch}: ${event.testCorrect} of ${event.testTotal} digits right`);
}
const trained = await run.result();
trained.save(file);

const model = await loadModel(file);
console.log(`same weights: ${model.sha256 === trained.sha256}`);
const { images, labels } = dataset.test;
const predictions = await model.predict(images.subarray(0, 5 * 28 * 28));
for (const [index, { className, probability }] of predictions.entries()) {
  console.log(`a ${labels[index]} is read as ${className} (${(100 * probability).toFixed(1)}%)`);
}
