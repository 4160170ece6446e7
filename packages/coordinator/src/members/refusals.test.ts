import type { NodeRefusedEvent } from '@lockstep/core/events';
import { expect, it } from 'vitest';
import { Refusals } from './refusals.js';

const refusal = { address: '10.0.0.9:5000', code: 'LOCKSTEP_NODE_TOKEN', reason: 'it does not hold the token.' };

it('cases: peers 23, bounds: refusals: of a flood the first are told one by one, and of the rest how many they were', () => {
  const told: NodeRefusedEvent[] = [];
  const refusals = new Refusals((event) => told.push(event));
  for (let count = 0; count < 1000; count++) refusals.note({ ...refusal, address: `10.0.0.9:${count}` });
  const first = told.length;
  expect(first).toBeGreaterThan(40);
  expect(first).toBeLessThan(100);
  expect(refusals.list()).toHaveLength(50);
  expect(told.every(({ more }) => more === undefined)).toBe(true);
  refusals.close();
  expect(told.length).toBe(first + 1);
  expect(told.at(-1)).toEqual({ event: 'node-refused', ...refusal, address: '10.0.0.9:999', more: 999 - first });
  refusals.close();
  expect(told.length).toBe(first + 1);
});
