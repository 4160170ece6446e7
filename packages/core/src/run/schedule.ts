/**
 * The learning rate of a step: a function of the recipe and the step. In double, with `cosine` and `power` of math.ts;
 * optimizer.ts rounds it to float32.
 */
import { cosine, PI, power } from '../math/math.js';
import type { Recipe, Schedule } from '../spec/recipe.js';

/**
 * The learning rate at one step of a run, warm-up included. The formulas are those of torch.optim.lr_scheduler:
 * StepLR; CosineAnnealingLR's closed form with T_max = all steps; OneCycleLR with two phases. A step after the recipe's
 * last has the last step's rate.
 *
 * @param step from 0, counted over the whole run
 */
export function learningRateAt(recipe: Recipe, step: number, stepsPerEpoch: number): number {
  const { schedule, learningRate, warmupSteps } = recipe;
  const stepCount = recipe.epochs * stepsPerEpoch;
  const rate = scheduledRate(schedule, learningRate, Math.min(step, stepCount - 1), stepCount, stepsPerEpoch);
  return step < warmupSteps ? (rate * (step + 1)) / (warmupSteps + 1) : rate;
}

function scheduledRate(
  schedule: Schedule,
  peak: number,
  step: number,
  stepCount: number,
  stepsPerEpoch: number,
): number {
  switch (schedule.type) {
    case 'constant':
      return peak;
    case 'step':
      return peak * power(schedule.gamma, Math.floor(Math.floor(step / stepsPerEpoch) / schedule.every));
    case 'cosine':
      return annealByCosine(peak, schedule.minimum, step / stepCount);
    case 'one-cycle':
      return oneCycleRate(schedule, peak, step, stepCount);
  }
}

type OneCycle = Extract<Schedule, { type: 'one-cycle' }>;

/** OneCycleLR: up from the start to the peak at step rise * stepCount - 1 (not rounded), down to the end at the last step. */
function oneCycleRate(schedule: OneCycle, peak: number, step: number, stepCount: number): number {
  const anneal = schedule.anneal === 'cosine' ? annealByCosine : annealLinearly;
  const start = peak / schedule.divFactor;
  const end = start / schedule.finalDivFactor;
  const peakStep = schedule.rise * stepCount - 1;
  // A rise of one step or less has no way up to divide into parts (torch divides by zero there): it starts at the peak.
  if (step <= peakStep && peakStep > 0) return anneal(start, peak, step / peakStep);
  return anneal(peak, end, (step - peakStep) / (stepCount - 1 - peakStep));
}

/** From `start` at part 0 to `end` at part 1, along half a wave. */
const annealByCosine = (start: number, end: number, part: number): number =>
  end + ((start - end) / 2) * (1 + cosine(PI * part));

const annealLinearly = (start: number, end: number, part: number): number => (end - start) * part + start;
