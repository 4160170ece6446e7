import { expect, it } from 'vitest';
import { CrewKeeper } from './crew-keeper.js';

const at = { address: '10.0.0.7:51012', step: 3 };
const join = (node: string) => ({ event: 'node-joined', node, workers: 1, engine: 'native', ...at }) as const;
const leave = (node: string) => ({ event: 'node-left', node, reason: 'it was asked to', ...at }) as const;
const timesOf = (node: string) => ({
  ...{ node, worker: undefined, step: 3, beganMs: 0 },
  ...{ contributeMs: 1, waitMs: 0, exchangeMs: 1, updateMs: 1, commitMs: 0 },
});

it('bounds: nodes that are gone: shows those that went last, and all that are there, whatever they call themselves', () => {
  const crew = new CrewKeeper();
  crew.begin([], 64);
  crew.onNode(join('here'));
  for (let life = 0; life < 10_000; life++) {
    crew.onNode(join(`liar ${life}`));
    // times of the last steps may wait to be shown
    if (life % 100 === 0) crew.onSteps([timesOf(`liar ${life}`)] as never, life);
    crew.onNode(leave(`liar ${life}`));
  }
  const names = crew.members.map(({ node }) => node);
  expect(names).toHaveLength(65);
  expect(names).toContain('here');
  expect(names).toContain('liar 9999');
  crew.onSteps([timesOf('here')] as never, 1e6);
  expect(crew.members.find(({ node }) => node === 'here')?.phases).toEqual([1, 0, 1, 1, 0]);
});
