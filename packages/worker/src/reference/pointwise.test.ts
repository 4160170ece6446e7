import { expect, test } from 'vitest';
import { differentiateAll, dot, relativeError } from './finite-differences.js';
import { applyDropout, reluBackward, reluForward } from './pointwise.js';
import { distinctValues, randomValues } from './random-values.js';

test('passes positive values and their gradients; at 0 there is no gradient', () => {
  const input = Float64Array.of(-1, 0, 2);
  expect([...reluForward(input)]).toEqual([0, 0, 2]);
  expect([...reluBackward(input, Float64Array.of(5, 6, 7))]).toEqual([0, 0, 7]);
});

test('scales what dropout keeps by 1/(1-p)', () => {
  expect([...applyDropout(Float64Array.of(3, 6, 9), Uint8Array.of(1, 0, 1), 0.25)]).toEqual([4, 0, 12]);
});

test('rejects a dropout mask of another size', () => {
  expect(() => applyDropout(new Float64Array(3), new Uint8Array(2), 0.5)).toThrow('a mask of 2 elements for 3 values');
});

test('gives the gradients that central differences give, for ReLU and dropout', () => {
  const input = distinctValues(60, 3);
  const dOut = randomValues(60, 4);
  const mask = Uint8Array.from(randomValues(60, 5), (value) => (value < 0.3 ? 1 : 0));
  const dRelu = differentiateAll(() => dot(reluForward(input), dOut), input);
  expect(relativeError(reluBackward(input, dOut), dRelu)).toBeLessThan(1e-9);
  const dDropout = differentiateAll(() => dot(applyDropout(input, mask, 0.5), dOut), input);
  expect(relativeError(applyDropout(dOut, mask, 0.5), dDropout)).toBeLessThan(1e-9);
});
