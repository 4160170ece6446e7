/**
 * The optimizers, as a reference in float32. The native kernels give the same bits: every product, sum, quotient and
 * root below is rounded to float32 by itself (no fused multiply-add), in the order written, and no term is skipped when
 * its factor is 0. In this file f(...) is Math.fround. Rounding a double result of two floats to float32 is the same as
 * computing in float32 for + - * / and sqrt, since 53 >= 2 * 24 + 2 bits.
 *
 *   sgd:    g = g + weightDecay * p
 *           no momentum:  p = p - learningRate * g
 *           momentum:     v = momentum * v + g;  p = p - learningRate * v
 *           nesterov:     v = momentum * v + g;  p = p - learningRate * (g + momentum * v)
 *   adam:   g = g + weightDecay * p
 *           m = beta1 * m + oneMinusBeta1 * g
 *           v = beta2 * v + oneMinusBeta2 * (g * g)
 *           p = p - (stepSize * m) / (sqrt(v) * rsqrtCorrection + eps)
 *   adamw:  p = p * decayFactor, then as adam without the first line
 *
 * These are torch.optim.SGD (dampening 0; its first momentum buffer is the gradient, which is momentum * 0 + g), Adam
 * and AdamW (amsgrad off), with torch's 1 / sqrt(1 - beta2^t) as a factor instead of a divisor.
 */
import { assert } from '../errors/errors.js';
import { power } from '../math/math.js';
import type { Optimizer } from '../spec/recipe.js';

const f = Math.fround;

/** State vectors, each as long as the parameters: none, [v] (momentum), or [m, v] (adam, adamw). All start at 0. */
export const optimizerSlots = (optimizer: Optimizer): 0 | 1 | 2 => {
  if (optimizer.type !== 'sgd') return 2;
  return optimizer.momentum === 0 ? 0 : 1;
};

/** The numbers of one update, each computed in double and rounded once to float32. */
export type OptimizerScalars = SgdScalars | AdamScalars;

export interface SgdScalars {
  readonly type: 'sgd';
  readonly learningRate: number;
  readonly momentum: number;
  /** Only with momentum. */
  readonly nesterov: boolean;
  readonly weightDecay: number;
}

export interface AdamScalars {
  readonly type: 'adam' | 'adamw';
  readonly beta1: number;
  readonly oneMinusBeta1: number;
  readonly beta2: number;
  readonly oneMinusBeta2: number;
  /** learningRate / (1 - beta1^t). */
  readonly stepSize: number;
  /** 1 / sqrt(1 - beta2^t). */
  readonly rsqrtCorrection: number;
  readonly eps: number;
  /** adam only; 0 for adamw. */
  readonly weightDecay: number;
  /** adamw only: 1 - learningRate * weightDecay; 1 for adam. */
  readonly decayFactor: number;
}

/**
 * The scalars of one update.
 *
 * @param learningRate in double, from `learningRateAt`
 * @param t updates including this one: 1 at the first step
 */
export function optimizerScalars(optimizer: Optimizer, learningRate: number, t: number): OptimizerScalars {
  assert(t >= 1, () => `an optimizer's steps count from 1, got ${t}`);
  if (optimizer.type === 'sgd') {
    const { momentum, nesterov, weightDecay } = optimizer;
    return {
      type: 'sgd',
      learningRate: f(learningRate),
      momentum: f(momentum),
      nesterov: nesterov && momentum !== 0,
      weightDecay: f(weightDecay),
    };
  }
  const [beta1, beta2] = optimizer.betas;
  const isDecoupled = optimizer.type === 'adamw';
  return {
    type: optimizer.type,
    beta1: f(beta1),
    oneMinusBeta1: f(1 - beta1),
    beta2: f(beta2),
    oneMinusBeta2: f(1 - beta2),
    stepSize: f(learningRate / (1 - power(beta1, t))),
    rsqrtCorrection: f(1 / Math.sqrt(1 - power(beta2, t))),
    eps: f(optimizer.eps),
    weightDecay: isDecoupled ? 0 : f(optimizer.weightDecay),
    decayFactor: isDecoupled ? f(1 - learningRate * optimizer.weightDecay) : 1,
  };
}

/**
 * The factor of a step's mean gradient under the recipe's clipNorm, as torch.nn.utils.clip_grad_norm_, rounded to float32.
 *
 * @param squareSum of the mean gradient's elements, in double
 */
export const gradientScale = (clipNorm: number, squareSum: number): number =>
  f(Math.min(1, clipNorm / (Math.sqrt(squareSum) + 1e-6)));

/** The moving average's decay at a step's update, in double; t counts updates including this one. */
export const averageDecay = (decay: number, withWarmup: boolean, t: number): number =>
  withWarmup ? Math.min(decay, (1 + t) / (10 + t)) : decay;

/** Parameters with the optimizer's state vectors (`optimizerSlots` of them), all of one length. */
export interface OptimizerState {
  readonly parameters: Float32Array;
  readonly slots: readonly Float32Array[];
}

/**
 * One update of a vector: reads `current` and the mean gradient, writes `next`, which may be `current`.
 * Elements are independent of each other, so a vector may be updated slice by slice.
 */
export function updateParameters(
  scalars: OptimizerScalars,
  gradient: Float32Array,
  current: OptimizerState,
  next: OptimizerState,
): void {
  if (scalars.type === 'sgd') updateBySgd(scalars, gradient, current, next);
  else updateByAdam(scalars, gradient, current, next);
}

function updateBySgd(scalars: SgdScalars, gradient: Float32Array, current: OptimizerState, next: OptimizerState): void {
  const { learningRate, momentum, nesterov, weightDecay } = scalars;
  const [velocity] = current.slots;
  const [nextVelocity] = next.slots;
  for (let i = 0; i < gradient.length; i++) {
    const p = current.parameters[i] as number;
    const g = f((gradient[i] as number) + f(weightDecay * p));
    let direction = g;
    if (velocity !== undefined && nextVelocity !== undefined) {
      const v = f(f(momentum * (velocity[i] as number)) + g);
      nextVelocity[i] = v;
      direction = nesterov ? f(g + f(momentum * v)) : v;
    }
    next.parameters[i] = f(p - f(learningRate * direction));
  }
}

function updateByAdam(
  scalars: AdamScalars,
  gradient: Float32Array,
  current: OptimizerState,
  next: OptimizerState,
): void {
  const { beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, rsqrtCorrection, eps } = scalars;
  const [means, squares] = current.slots as [Float32Array, Float32Array];
  const [nextMeans, nextSquares] = next.slots as [Float32Array, Float32Array];
  for (let i = 0; i < gradient.length; i++) {
    let p = current.parameters[i] as number;
    let g = gradient[i] as number;
    if (scalars.type === 'adam') g = f(g + f(scalars.weightDecay * p));
    else p = f(p * scalars.decayFactor);
    const m = f(f(beta1 * (means[i] as number)) + f(oneMinusBeta1 * g));
    const v = f(f(beta2 * (squares[i] as number)) + f(oneMinusBeta2 * f(g * g)));
    const divisor = f(f(f(Math.sqrt(v)) * rsqrtCorrection) + eps);
    nextMeans[i] = m;
    nextSquares[i] = v;
    next.parameters[i] = f(p - f(f(stepSize * m) / divisor));
  }
}
