/** A recipe in one line, for people. */

import { BLOCK_SAMPLES } from '../spec/block-samples.js';
import type { Optimizer, Recipe, Schedule } from '../spec/recipe.js';
import { countOf } from './count-text.js';

/** `8 epochs, batch 128, SGD momentum 0.9 nesterov weight decay 0.0001, rate 0.1 one-cycle, shift 1`. */
export function formatRecipe(recipe: Recipe): string {
  const { rotation, shift, scale, centerCrop } = recipe.augmentation;
  const parts = [
    countOf(recipe.epochs, 'epoch'),
    `batch ${recipe.batchSize}${recipe.shardSize === BLOCK_SAMPLES ? '' : ` in shards of ${recipe.shardSize}`}`,
    formatOptimizer(recipe.optimizer),
    `rate ${recipe.learningRate}${formatSchedule(recipe.schedule)}`,
    recipe.warmupSteps > 0 ? `warm-up ${countOf(recipe.warmupSteps, 'step')}` : '',
    rotation > 0 ? `rotation ±${rotation}°` : '',
    shift > 0 ? `shift ±${shift}` : '',
    scale > 0 ? `scale ±${scale}` : '',
    centerCrop === undefined ? '' : formatCrop(centerCrop),
    recipe.dropout === undefined ? '' : `dropout ${recipe.dropout}`,
    recipe.labelSmoothing === undefined ? '' : `label smoothing ${recipe.labelSmoothing}`,
    recipe.clipNorm === undefined ? '' : `clip norm ${recipe.clipNorm}`,
    recipe.gradientPrecision === undefined ? '' : `gradients in ${recipe.gradientPrecision}`,
    recipe.ema === undefined ? '' : `moving average ${recipe.ema}${recipe.emaWarmup ? ' with warm-up' : ''}`,
    recipe.freeze === undefined ? '' : `frozen ${recipe.freeze.join(' ')}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function formatCrop({ size, probability }: NonNullable<Recipe['augmentation']['centerCrop']>): string {
  return `centre crop to ${size}${probability === 1 ? '' : ` with probability ${probability}`}`;
}

function formatOptimizer(optimizer: Optimizer): string {
  const decay = optimizer.weightDecay > 0 ? ` weight decay ${optimizer.weightDecay}` : '';
  if (optimizer.type === 'sgd') {
    const momentum = optimizer.momentum > 0 ? ` momentum ${optimizer.momentum}` : '';
    return `SGD${momentum}${optimizer.nesterov ? ' nesterov' : ''}${decay}`;
  }
  const [beta1, beta2] = optimizer.betas;
  const betas = beta1 === 0.9 && beta2 === 0.999 ? '' : ` betas ${beta1},${beta2}`;
  const eps = optimizer.eps === 1e-8 ? '' : ` eps ${optimizer.eps}`;
  return `${optimizer.type === 'adam' ? 'Adam' : 'AdamW'}${betas}${eps}${decay}`;
}

function formatSchedule(schedule: Schedule): string {
  switch (schedule.type) {
    case 'constant':
      return '';
    case 'step':
      return ` x${schedule.gamma} every ${countOf(schedule.every, 'epoch')}`;
    case 'cosine':
      return ` cosine down to ${schedule.minimum}`;
    case 'one-cycle':
      return ' one-cycle';
  }
}
