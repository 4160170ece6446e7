/** Programs written by hand, for tests. */
import { ProgramBuilder } from './program.js';
import { NO_BORDER } from './records.js';

const NO_AUGMENTATION = { rotation: 0, scale: 0, shift: 0 };
/** Floats of a contribution: weight [2][1] at 0, bias [2] at 16, [loss, correct] at 32. */
export const CONTRIBUTION = 48;

/** One grey pixel, a linear layer to two classes, and its gradients. */
export function writeLinear(): Int32Array {
  const builder = new ProgramBuilder(1, 1);
  const image = builder.tensor({ channels: 1, height: 1, width: 1 }, NO_BORDER, false, true);
  const logits = builder.tensor({ channels: 2, height: 1, width: 1 }, NO_BORDER, false, true);
  builder.stage(false, false);
  builder.input(image, NO_AUGMENTATION, [{ scale: 1 / 255, shift: 0 }]);
  const dense = builder.dense(image, logits, 0, 16);
  builder.loss(logits, 32, 0);
  builder.stage(false, true);
  builder.denseWeightGradient(dense, logits);
  return builder.finish(CONTRIBUTION);
}

/** Every kind of record but those that need a post with a norm, each at least once. */
export function writeEverything(): Int32Array {
  const builder = new ProgramBuilder(2, 1);
  const spec = { kernel: 3, stride: 1, padding: 1, groups: 1 };
  const image = builder.tensor({ channels: 1, height: 4, width: 4 }, { before: 1, after: 1 }, true);
  const y = builder.tensor({ channels: 2, height: 4, width: 4 }, { before: 1, after: 1 }, true);
  const g = builder.tensor({ channels: 2, height: 4, width: 4 }, NO_BORDER, true);
  const pooled = builder.tensor({ channels: 2, height: 2, width: 2 }, NO_BORDER, true);
  const mean = builder.tensor({ channels: 2, height: 1, width: 1 }, NO_BORDER, true, true);
  const logits = builder.tensor({ channels: 3, height: 1, width: 1 }, NO_BORDER, true, true);
  const norm = builder.norm(y, 64, 80, 96, false);
  const dropout = builder.dropoutBits(8, 0.5, 2);
  builder.round([
    { begin: 0, end: 96 },
    { begin: 112, end: 144 },
  ]);
  builder.stage(false, false);
  builder.input(image, NO_AUGMENTATION, [{ scale: 1, shift: 0 }]);
  const conv = builder.conv(image, y, 0, 32, spec, false);
  builder.normForward(norm);
  builder.dropoutMask(dropout);
  const post = builder.post({
    y,
    out: pooled,
    norm,
    withRelu: true,
    dropout1: -1,
    dropout2: dropout,
    kernel: 2,
    stride: 2,
  });
  const pool = builder.averagePool(pooled, mean, { channels: 0, height: 2, width: 2 }, 1);
  builder.stage(true, false);
  const dense = builder.dense(mean, logits, 112, 128);
  builder.loss(logits, 144, 0);
  builder.stage(true, true);
  builder.denseWeightGradient(dense, logits);
  builder.denseInputGradient(dense, logits, mean);
  builder.stage(false, true);
  builder.averagePoolBackward(pool, mean, pooled);
  builder.postBackward(post, pooled, g);
  builder.apply(y, g, norm, false);
  builder.convWeightGradient(conv, y);
  builder.convBiasGradient(y, 32);
  builder.convInputGradient(conv, y, image);
  builder.zeroGradient(48, 50);
  return builder.finish(112);
}
