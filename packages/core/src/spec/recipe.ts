/** A recipe: everything but model, data and seed that decides the result of a run. */
import { z } from 'zod';
import { BLOCK_SAMPLES } from './block-samples.js';

const rate = z.number().positive().finite();
const decay = z.number().min(0).lt(1);

export const optimizerSchema = z.discriminatedUnion('type', [
  /** torch.optim.SGD. */
  z.strictObject({
    type: z.literal('sgd'),
    momentum: decay.default(0),
    nesterov: z.boolean().default(false),
    weightDecay: z.number().min(0).default(0),
  }),
  /** torch.optim.Adam: weight decay is added to the gradient. */
  z.strictObject({
    type: z.literal('adam'),
    betas: z.tuple([decay, decay]).default([0.9, 0.999]),
    eps: rate.default(1e-8),
    weightDecay: z.number().min(0).default(0),
  }),
  /** torch.optim.AdamW: weight decay apart from the gradient. */
  z.strictObject({
    type: z.literal('adamw'),
    betas: z.tuple([decay, decay]).default([0.9, 0.999]),
    eps: rate.default(1e-8),
    weightDecay: z.number().min(0).default(0.01),
  }),
]);

/** How the learning rate moves over the run. `learningRate` of the recipe is its peak. */
export const scheduleSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('constant') }),
  /** torch StepLR: times gamma every `every` epochs. */
  z.strictObject({ type: z.literal('step'), every: z.int().min(1), gamma: rate }),
  /** torch CosineAnnealingLR over the whole run, per step, down to `minimum`. */
  z.strictObject({ type: z.literal('cosine'), minimum: z.number().min(0).default(0) }),
  /**
   * torch OneCycleLR, per step over the whole run: from learningRate / divFactor up to learningRate in the first
   * `rise` of the steps, then down to learningRate / divFactor / finalDivFactor. Momentum is left alone.
   */
  z.strictObject({
    type: z.literal('one-cycle'),
    rise: z.number().gt(0).lt(1).default(0.3),
    divFactor: rate.default(25),
    finalDivFactor: rate.default(1e4),
    anneal: z.enum(['cosine', 'linear']).default('cosine'),
  }),
]);

/** Random changes to each training image, a function of (seed, epoch, sample). Pixels from outside are 0. */
export const augmentationSchema = z.strictObject({
  /** Rotation about the centre, uniform in [-rotation, rotation] degrees, bilinear. */
  rotation: z.number().min(0).max(180).default(0),
  /** Whole-pixel shift, uniform in [-shift, shift] along each axis. */
  shift: z.int().min(0).max(64).default(0),
  /** Scale about the centre, uniform in [1 - scale, 1 + scale]. */
  scale: z.number().min(0).lt(1).default(0),
  /**
   * Of one image in 1 / probability: the middle `size` columns, and rows in proportion, blown up to the whole image;
   * bilinear, in one with rotation and scale. torchvision's RandomApply([CenterCrop(size)], probability) and Resize, but
   * that the outermost pixels blend with what lies just outside of the crop. Off when left out.
   */
  centerCrop: z
    .strictObject({ size: z.int().min(1).max(4096), probability: z.number().min(0).max(1).default(1) })
    .optional(),
});

export const recipeSchema = z.strictObject({
  epochs: z.int().min(1).default(10),
  batchSize: z.int().min(1).max(65_536).default(128),
  /** Samples per shard: a multiple of 16. */
  shardSize: z.int().min(BLOCK_SAMPLES).max(4096).multipleOf(BLOCK_SAMPLES).default(BLOCK_SAMPLES),
  optimizer: optimizerSchema.default({ type: 'adam', betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 }),
  learningRate: rate.default(1e-3),
  schedule: scheduleSchema.default({ type: 'constant' }),
  /** Linear warm-up: the rate is scaled by (step + 1) / (warmupSteps + 1) during the first warmupSteps steps. */
  warmupSteps: z.int().min(0).default(0),
  augmentation: augmentationSchema.default({ rotation: 0, shift: 0, scale: 0 }),
  /** Overrides the probability of every dropout layer of the model. */
  dropout: decay.optional(),
  /**
   * torch.nn.CrossEntropyLoss(label_smoothing): the target is (1 - labelSmoothing) * onehot + labelSmoothing / classes.
   * Of the training loss alone; evaluations report the plain cross-entropy. Off when left out.
   */
  labelSmoothing: z.number().min(0).max(1).optional(),
  /**
   * torch.nn.utils.clip_grad_norm_(max_norm): the mean gradient of a step is scaled by min(1, clipNorm / (norm + 1e-6)),
   * norm taken over all trained parameters, before weight decay. Off when left out.
   */
  clipNorm: rate.optional(),
  /**
   * What sums of gradients are kept in. With bf16 the gradients of every partial of the reduction, each shard's own
   * and the root included, are rounded to bf16 after their addition in float32, so that half the bytes travel between
   * nodes; statistics, loss and correct count stay float32. See core/src/math/bf16.ts and reduction.ts. float32 is the same as
   * leaving it out.
   */
  gradientPrecision: z
    .enum(['float32', 'bf16'])
    .transform((precision) => (precision === 'bf16' ? precision : undefined))
    .optional(),
  /**
   * torch.optim.swa_utils.get_ema_multi_avg_fn(decay): after each step average = ema * average + (1 - ema) * state, of
   * the parameters and the running statistics, from the initial state on. Evaluated beside the state. Off when left out.
   */
  ema: z.number().gt(0).lt(1).optional(),
  /** The decay of step t (from 1) is min(ema, (1 + t) / (10 + t)), as tf.train.ExponentialMovingAverage(num_updates). */
  emaWarmup: z.boolean().optional(),
  /**
   * Names of parameters or layers that do not change, `*` for any text: `conv1`, `features.*`, `*.bias`. As torch's
   * requires_grad_(False); a batch norm whose parameters are all frozen is in evaluation mode. See core/src/run/freeze.ts.
   */
  freeze: z.array(z.string().min(1)).optional(),
});

export type Optimizer = z.output<typeof optimizerSchema>;
export type Schedule = z.output<typeof scheduleSchema>;
export type Augmentation = z.output<typeof augmentationSchema>;
export type Recipe = z.output<typeof recipeSchema>;
/** A recipe as a person writes it, defaults left out. */
export type RecipeInput = z.input<typeof recipeSchema>;
