import { expect, it } from 'vitest';
import type { EpochEvent } from './events.js';
import { followEpochs } from './follow-epochs.js';
import type { WentBackEvent } from './node-events.js';

const epoch = (number: number): EpochEvent => ({ event: 'epoch', epoch: number }) as EpochEvent;
const back = (epochs: number): WentBackEvent => ({ event: 'went-back', node: 'liar', step: 0, epochs, from: 9 });

it('keeps the epochs that stand, and says whether they change', () => {
  const epochs: EpochEvent[] = [];
  const follow = (event: Parameters<typeof followEpochs>[1]): [boolean, number[]] => [
    followEpochs(epochs, event),
    epochs.map((each) => each.epoch),
  ];
  expect(follow(epoch(1))).toEqual([true, [1]]);
  expect(follow(epoch(2))).toEqual([true, [1, 2]]);
  expect(follow(back(2))).toEqual([false, [1, 2]]);
  expect(follow({ event: 'paused', step: 3 })).toEqual([false, [1, 2]]);
  expect(follow(back(1))).toEqual([true, [1]]);
  expect(follow(epoch(2))).toEqual([true, [1, 2]]);
});
