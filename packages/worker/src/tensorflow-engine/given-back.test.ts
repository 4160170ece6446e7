import util from 'node:util';
import { expect, it } from 'vitest';
import { giveBackUtil } from './given-back.js';
import { loadTensorFlow } from './installation.js';
import { describeTensorFlow } from './test-availability.js';

type Test = (value: unknown) => boolean;
const functions = util as unknown as Record<'isArray' | 'isNullOrUndefined', Test>;

function takeOut(): void {
  for (const name of ['isArray', 'isNullOrUndefined']) Reflect.deleteProperty(util, name);
}

it('gives isArray and isNullOrUndefined back as Node 20 has them', () => {
  takeOut();
  giveBackUtil();
  const values = [null, undefined, 0, '', false, Number.NaN, [], [1], {}, { length: 0 }, new Float32Array(1)];
  expect(values.filter(functions.isArray)).toEqual([[], [1]]);
  expect(values.filter(functions.isNullOrUndefined)).toEqual([null, undefined]);
});

describeTensorFlow('tfjs-node', () => {
  it('cases: peers 30: computes on a Node that has taken isNullOrUndefined and isArray out of util', () => {
    takeOut();
    const tf = loadTensorFlow();
    const product = tf.tidy(() => tf.tensor(Float32Array.of(6), [1]).mul(7).dataSync()[0]);
    expect(tf.getBackend()).toBe('tensorflow');
    expect(product).toBe(42);
  });
});
