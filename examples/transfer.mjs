/**
 * Transfer learning: a network learns the digits 0 to 4; its convolutions are frozen, its head is replaced, and it learns
 * 5 to 9 from 500 images. Beside it, the same network learns these from scratch with the same budget.
 *
 *     node examples/transfer.mjs [SEED] [FOLDER WITH MNIST]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArrayDataset, loadMnist, train } from 'lockstep';

const seed = Number(process.argv[2] ?? 1);
const mnist = await loadMnist({ directory: process.argv[3], offline: process.env.LOCKSTEP_OFFLINE === '1' });
const IMAGE = mnist.height * mnist.width;

/** The first `most` images of five digits, which become the classes 0 to 4. */
function pick({ images, labels }, firstDigit, most = Number.POSITIVE_INFINITY) {
  const chosen = [...labels.keys()].filter((i) => labels[i] >= firstDigit && labels[i] < firstDigit + 5).slice(0, most);
  const picked = { images: new Uint8Array(chosen.length * IMAGE), labels: chosen.map((i) => labels[i] - firstDigit) };
  for (const [at, i] of chosen.entries()) picked.images.set(images.subarray(i * IMAGE, (i + 1) * IMAGE), at * IMAGE);
  return picked;
}

const makeDataset = (firstDigit, most) =>
  createArrayDataset({
    ...{ channels: 1, height: mnist.height, width: mnist.width, classes: 5, mean: mnist.mean, std: mnist.std },
    name: `digits ${firstDigit} to ${firstDigit + 4}`,
    train: pick(mnist.train, firstDigit, most),
    test: pick(mnist.test, firstDigit),
  });

const accuracyOf = async (options) => {
  const model = await train({ seed, ...options }).result();
  const { correct, total } = await model.evaluate(options.data);
  return { model, accuracy: correct / total };
};
const percent = (fraction) => `${(100 * fraction).toFixed(2)}%`;

const lower = await accuracyOf({ model: 'lenet5', recipe: { epochs: 3 }, data: makeDataset(0) });
const folder = mkdtempSync(join(tmpdir(), 'transfer-'));
const weights = join(folder, 'lower.safetensors');
lower.model.save(weights);
console.log(`digits 0 to 4: ${percent(lower.accuracy)}`);

const data = makeDataset(5, 500);
const budget = { epochs: 3, batchSize: 32 };
const scratch = await accuracyOf({ model: lower.model.spec, recipe: budget, data });
const frozen = { ...budget, freeze: ['features.*'] };
const transferred = await accuracyOf({ weights, replaceHead: 5, recipe: frozen, data });
rmSync(folder, { recursive: true });

console.log(`digits 5 to 9 from 500 images, from scratch: ${percent(scratch.accuracy)}`);
console.log(`digits 5 to 9 from 500 images, frozen features: ${percent(transferred.accuracy)}`);
console.log(`margin: ${(100 * (transferred.accuracy - scratch.accuracy)).toFixed(2)} points`);
