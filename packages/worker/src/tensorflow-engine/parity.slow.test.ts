import { describe, expect, it } from 'vitest';
import { describeTensorFlow } from './test-availability.js';
import { medianDifference, PARITY, trainBeside } from './test-parity.js';

describeTensorFlow('parity of the engines', () => {
  it('cnn11m: contributions agree with the native engine, the median of 20 shards, dropout and augmentation on', async () => {
    expect(await medianDifference('cnn11m', 20)).toBeLessThan(PARITY);
  });

  describe('along 100 training steps the losses of both engines are within 1e-3 of each other', () => {
    // lenet5: tensorflow-engine.test.ts
    it.each(['tiny6k', 'net19k', 'gap19k', 'mynet'])('%s, from the same parameters at every step', async (name) => {
      const losses = await trainBeside(name, { rate: 0.1, isFree: false });
      expect(losses[99]).toBeLessThan((losses[0] as number) / 2);
    });

    it.each([
      ['tiny6k', 1e-4],
      ['net19k', 3e-4],
      ['gap19k', 3e-4],
      ['mynet', 1e-3],
      // deep, without batch norm: plain gradient descent hardly trains it at any rate
      ['cnn11m', 0.1],
    ])('%s, each from its own result, at a rate of %d', async (name, rate) => {
      const losses = await trainBeside(name, { rate, isFree: true });
      expect(losses[99]).toBeLessThan(losses[0] as number);
    });
  });
});
