/**
 * Data and model of one's own: draws rings, squares and crosses into typed arrays and trains a small network on them. The
 * run is stopped by an AbortSignal in the middle and goes on with another number of workers, to the same last bit.
 *
 *     node examples/own-data.mjs
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArrayDataset, train } from 'lockstep';

const SIDE = 16;
const classNames = ['ring', 'square', 'cross'];

/** Whether a shape of radius r covers the point (x, y), seen from its centre. */
const covers = [
  (x, y, r) => Math.abs(Math.sqrt(x * x + y * y) - r) < 1,
  (x, y, r) => Math.abs(Math.max(Math.abs(x), Math.abs(y)) - r) < 1,
  (x, y, r) => Math.abs(Math.abs(x) - Math.abs(y)) < 1 && Math.abs(x) <= r,
];

/** @returns images [count][1][16][16] and their labels; the same for the same numbers */
function draw(count, seed) {
  let state = seed;
  const next = (n) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state % 65_521) % n;
  };
  const images = new Uint8Array(count * SIDE * SIDE);
  const labels = Uint8Array.from({ length: count }, (_, image) => image % classNames.length);
  labels.forEach((label, image) => {
    const [centreX, centreY, radius] = [6 + next(4), 6 + next(4), 3 + next(3)];
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const isInk = covers[label](x - centreX, y - centreY, radius);
        images[(image * SIDE + y) * SIDE + x] = (isInk ? 180 : 0) + next(75);
      }
    }
  });
  return { images, labels };
}

const shape = { channels: 1, height: SIDE, width: SIDE };
const data = createArrayDataset({
  ...shape,
  classes: 3,
  classNames,
  train: draw(900, 1),
  test: draw(300, 2),
  name: 'shapes',
});
const model = {
  name: 'shapes',
  input: shape,
  classes: 3,
  layers: [
    { type: 'conv', outChannels: 8, kernel: 3, padding: 1 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'maxPool', kernel: 2 },
    { type: 'conv', outChannels: 16, kernel: 3 },
    { type: 'relu' },
    { type: 'globalAvgPool' },
    { type: 'flatten' },
    { type: 'linear', outFeatures: 3 },
  ],
};
const recipe = { epochs: 12, batchSize: 32, learningRate: 0.01, ema: 0.99 };

const whole = await train({ model, recipe, data, workers: 1 }).result();

const folder = mkdtempSync(join(tmpdir(), 'shapes-'));
const abort = new AbortController();
const first = train({ model, recipe, data, workers: 2, checkpoints: { folder }, signal: abort.signal });
for await (const event of first) {
  if (event.event === 'epoch' && event.epoch === 3) abort.abort();
  if (event.event === 'end') console.log(`stopped after ${event.steps} steps: ${event.reason}`);
}
const resumed = await train({ resume: folder, data, workers: 3 }).result();
rmSync(folder, { recursive: true });

const { correct, total } = await resumed.evaluate(data);
console.log(`${correct} of ${total} shapes right`);
console.log(`same bits as a run that never stopped: ${resumed.sha256 === whole.sha256}`);
const [prediction] = await resumed.predict(draw(1, 3).images);
console.log(`a ring is read as a ${prediction.className}`);
