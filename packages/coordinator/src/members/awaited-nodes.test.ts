import type { NodeEvent } from '@lockstep/core/events';
import { expect, it } from 'vitest';
import { AwaitedNodes } from './awaited-nodes.js';

it('waits: nodes: says for how many it waits each time that it changes, until they are there or the run is stopped', async () => {
  const events: NodeEvent[] = [];
  const membership = { nodes: { size: 0 }, readyCount: 0 };
  let isStopping = false;
  const awaited = new AwaitedNodes(
    membership,
    (event) => events.push(event),
    () => isStopping,
  );
  const come = (ready: number): void => {
    membership.readyCount = ready;
    awaited.wake();
  };
  const waiting = awaited.await(3, 'a test');
  for (const ready of [1, 1, 2, 3]) {
    come(ready);
    await Promise.resolve();
  }
  await waiting;
  expect(events.map((event) => 'nodes' in event && event.nodes)).toEqual([0, 1, 2]);
  const again = awaited.await(4, 'a test');
  isStopping = true;
  awaited.wake();
  await again;
});
