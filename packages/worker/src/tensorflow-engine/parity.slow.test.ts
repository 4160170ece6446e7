import { expect, it } from 'vitest';
import { describeTensorFlow } from './test-availability.js';
import { medianDifference, PARITY, trainBeside } from './test-parity.js';

describeTensorFlow('parity of the engines', () => {
  it('cnn11m: contributions agree with the native engine, the median of 20 shards, dropout and augmentation on', async () => {
    expect(await medianDifference('cnn11m', 20)).toBeLessThan(PARITY);
  });

  it.each(['tiny6k', 'net19k', 'gap19k', 'mynet', 'cnn11m'])(
    '%s: along 100 training steps the losses of both engines are within 1e-3 of each other',
    async (name) => {
      await trainBeside(name);
    },
  );
});
