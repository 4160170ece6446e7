import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Optimizer, optimizerSchema } from '../spec/recipe.js';
import { type OptimizerState, optimizerScalars, optimizerSlots, updateParameters } from './optimizer.js';

const newState = (optimizer: Optimizer, parameters: readonly number[]): OptimizerState => ({
  parameters: Float32Array.from(parameters),
  slots: Array.from({ length: optimizerSlots(optimizer) }, () => new Float32Array(parameters.length)),
});

/** Parameters after each of several steps, in place. */
function train(input: object, learningRate: number, parameters: number[], gradients: number[][]): number[][] {
  const optimizer = optimizerSchema.parse(input);
  const state = newState(optimizer, parameters);
  return gradients.map((gradient, step) => {
    const scalars = optimizerScalars(optimizer, learningRate, step + 1);
    updateParameters(scalars, Float32Array.from(gradient), state, state);
    return [...state.parameters];
  });
}

describe('optimizerSlots', () => {
  it.each([
    [{ type: 'sgd' }, 0],
    [{ type: 'sgd', momentum: 0.9 }, 1],
    [{ type: 'adam' }, 2],
    [{ type: 'adamw' }, 2],
  ])('says that %j keeps %i vectors', (optimizer, slots) => {
    expect(optimizerSlots(optimizerSchema.parse(optimizer))).toBe(slots);
  });
});

describe('updateParameters, with numbers worked by hand that float32 holds exactly', () => {
  const sgd = { type: 'sgd', momentum: 0.5, weightDecay: 0.25 };
  it.each([
    // g = 0.5 + 0.25 * 1 = 0.75, p = 1 - 0.5 * 0.75; g = 0.25 + 0.25 * 0.625 = 0.40625, p = 0.625 - 0.203125.
    ['sgd', { ...sgd, momentum: 0 }, [0.625, 0.421875]],
    // v = 0.75; then v = 0.5 * 0.75 + 0.40625 = 0.78125, p = 0.625 - 0.390625.
    ['sgd with momentum', sgd, [0.625, 0.234375]],
    // p = 1 - 0.5 * (0.75 + 0.375) = 0.4375; g = 0.25 + 0.109375, v = 0.375 + 0.359375, p -= 0.5 * (g + 0.5 * v).
    ['sgd with nesterov momentum', { ...sgd, nesterov: true }, [0.4375, 0.07421875]],
    // m = 0.5, v = 0.25, step size 0.5 / 0.5 = 1, correction 1 / sqrt(0.25) = 2: p = 1 - 1 * 0.5 / (0.5 * 2 + 1).
    ['adam', { type: 'adam', betas: [0.5, 0.75], eps: 1 }, [0.75]],
    // The same after p = 1 * (1 - 0.5 * 0.25).
    ['adamw', { type: 'adamw', betas: [0.5, 0.75], eps: 1, weightDecay: 0.25 }, [0.625]],
  ])('follows %s', (name, optimizer, expected) => {
    const gradients = name.startsWith('adam') ? [[1]] : [[0.5], [0.25]];
    expect(train(optimizer, 0.5, [1], gradients).flat()).toEqual(expected);
  });
});

describe('updateParameters, over three steps of PyTorch formulas worked in float64', () => {
  const parameters = [1, -2, 0.5];
  const gradients = [
    [0.5, -1, 0.25],
    [-0.25, 0.5, 1],
    [0.125, 0.75, -0.5],
  ];
  /** Three float32 steps on values up to 2 against float64: a few units of 2^-23 each. */
  const TOLERANCE = 1e-6;

  it.each([
    // p -= lr * g
    [
      'sgd',
      { type: 'sgd' },
      0.1,
      [
        [0.95, -1.9, 0.475],
        [0.975, -1.95, 0.375],
        [0.9625, -2.025, 0.425],
      ],
    ],
    // g += wd * p; p -= lr * g
    [
      'sgd with weight decay',
      { type: 'sgd', weightDecay: 0.01 },
      0.1,
      [
        [0.949, -1.898, 0.4745],
        [0.973051, -1.946102, 0.3740255],
        [0.959577949, -2.019155898, 0.4236514745],
      ],
    ],
    // v = g at the first step, else mu * v + g; p -= lr * v
    [
      'sgd with momentum',
      { type: 'sgd', momentum: 0.9, weightDecay: 0.01 },
      0.1,
      [
        [0.949, -1.898, 0.4745],
        [0.927151, -1.854302, 0.3510755],
        [0.894059749, -1.888119498, 0.2896423745],
      ],
    ],
    // p -= lr * (g + mu * v)
    [
      'sgd with nesterov momentum',
      { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0.01 },
      0.1,
      [
        [0.9031, -1.8062, 0.45155],
        [0.90757411, -1.81514822, 0.240037055],
        [0.8644392082, -1.918878416, 0.2346257291],
      ],
    ],
    // m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
    [
      'adam',
      { type: 'adam' },
      0.01,
      [
        [0.9900000002, -1.99, 0.4900000004],
        [0.9873366299, -1.98733663, 0.4811562356],
        [0.9839323385, -1.989188324, 0.4777952416],
      ],
    ],
    // g += wd * p, then as adam
    [
      'adam with weight decay',
      { type: 'adam', weightDecay: 0.1 },
      0.01,
      [
        [0.9900000002, -1.99, 0.4900000003],
        [0.9853191993, -1.985312259, 0.4810036292],
        [0.9797440953, -1.984606001, 0.477024828],
      ],
    ],
    // p *= 1 - lr * wd, then as adam
    [
      'adamw',
      { type: 'adamw', weightDecay: 0.1 },
      0.01,
      [
        [0.9890000002, -1.988, 0.4895000004],
        [0.9853476299, -1.98334863, 0.4801667356],
        [0.9809579909, -1.983216976, 0.4763255749],
      ],
    ],
    [
      'adamw with other betas and eps',
      { type: 'adamw', betas: [0.8, 0.95], eps: 1e-3 },
      0.05,
      [
        [0.9495998004, -1.94904995, 0.4499492032],
        [0.9385290576, -1.937465992, 0.4045612714],
        [0.9226424045, -1.950007336, 0.3901771729],
      ],
    ],
  ])('follows %s', (_, optimizer, learningRate, expected) => {
    const given = train(optimizer, learningRate, parameters, gradients).flat();
    for (const [index, value] of expected.flat().entries()) {
      expect(Math.abs((given[index] as number) - value)).toBeLessThan(TOLERANCE);
    }
  });
});

describe('updateParameters', () => {
  it('rounds product and difference each, where a fused multiply-add would give another bit', () => {
    // 0.826 - 0.1 * 0.81 = 0.745: the exact difference of these floats rounds to 0.74499994516.
    const [[p]] = train({ type: 'sgd' }, 0.1, [0.826], [[0.81]]) as [[number]];
    expect(p).toBe(Math.fround(0.7450000047683716));
  });

  it('adds weight decay of 0 too, so that -0 becomes 0 as in every kernel', () => {
    const optimizer = optimizerSchema.parse({ type: 'sgd', momentum: 0.5 });
    const state = newState(optimizer, [1]);
    updateParameters(optimizerScalars(optimizer, 0.5, 1), Float32Array.of(-0), state, state);
    expect(Object.is(state.slots[0]?.[0], 0)).toBe(true);
  });

  const optimizers = [
    { type: 'sgd' },
    { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
    { type: 'adam', weightDecay: 1e-4 },
    { type: 'adamw' },
  ].map((input) => optimizerSchema.parse(input));

  it.each(optimizers.map((optimizer) => [JSON.stringify(optimizer), optimizer] as const))(
    'gives the same bits for slices as for the whole, leaving the current version alone: %s',
    (_, optimizer) => {
      const vector = fc.array(fc.float({ noNaN: true, min: -2, max: 2 }), { minLength: 2, maxLength: 20 });
      fc.assert(
        fc.property(vector, fc.nat(), fc.integer({ min: 1, max: 1000 }), (values, at, t) => {
          const cut = at % values.length;
          const scalars = optimizerScalars(optimizer, 0.01, t);
          const gradient = Float32Array.from(values).reverse();
          const current = newState(optimizer, values);
          for (const slot of current.slots) slot.fill(0.25);
          const [whole, sliced] = [newState(optimizer, values), newState(optimizer, values)];
          updateParameters(scalars, gradient, current, whole);
          for (const [begin, end] of [
            [0, cut],
            [cut, values.length],
          ]) {
            updateParameters(
              scalars,
              gradient.subarray(begin, end),
              slice(current, begin, end),
              slice(sliced, begin, end),
            );
          }
          expect(sliced).toEqual(whole);
          expect(current.parameters).toEqual(Float32Array.from(values));
          for (const slot of current.slots) expect(new Set(slot)).toEqual(new Set([0.25]));
        }),
      );
    },
  );

  const slice = ({ parameters, slots }: OptimizerState, begin = 0, end = 0): OptimizerState => ({
    parameters: parameters.subarray(begin, end),
    slots: slots.map((slot) => slot.subarray(begin, end)),
  });
});

describe('optimizerScalars', () => {
  it('computes in double and rounds once', () => {
    const scalars = optimizerScalars(optimizerSchema.parse({ type: 'adam' }), 1e-3, 2);
    expect(scalars).toEqual({
      type: 'adam',
      beta1: Math.fround(0.9),
      oneMinusBeta1: Math.fround(1 - 0.9),
      beta2: Math.fround(0.999),
      oneMinusBeta2: Math.fround(1 - 0.999),
      stepSize: Math.fround(1e-3 / (1 - 0.9 * 0.9)),
      rsqrtCorrection: Math.fround(1 / Math.sqrt(1 - 0.999 * 0.999)),
      eps: Math.fround(1e-8),
      weightDecay: 0,
      decayFactor: 1,
    });
  });

  it('counts steps from 1', () => {
    const adam = optimizerSchema.parse({ type: 'adam' });
    expect(() => optimizerScalars(adam, 1e-3, 0)).toThrow("an optimizer's steps count from 1, got 0");
  });
});
