import type { Frame } from '@lockstep/core/wire';
import { expect, it } from 'vitest';
import { EarlySums } from './early-sums.js';

const [A, B] = [1, 2];
const most = { frames: 4, bytes: 4000 };
const sum = (generation: number, bytes = 1000): Frame => ({
  message: { type: 'reduced', step: 0, generation, offset: 0 },
  payload: new Uint8Array(bytes),
});

it('hands out what came for an attempt when it begins, and drops what came for those before', () => {
  const early = new EarlySums(most);
  early.keep(A, sum(7));
  early.keep(B, sum(8));
  early.keep(A, sum(8, 10));
  expect(early.take(8).map(({ from, frame }) => [from, frame.payload.length])).toEqual([
    [A, 10],
    [B, 1000],
  ]);
  expect(early.bytes).toBe(0);
  expect(early.take(7)).toEqual([]);
});

it('cases: peers 10, bounds: early sums: keeps no more of a sender that speaks of ever farther attempts than it owes in two', () => {
  const early = new EarlySums(most);
  for (let generation = 1; generation < 10_000; generation++) {
    for (let frame = 0; frame < 4; frame++) early.keep(A, sum(generation));
    expect(early.bytes).toBeLessThanOrEqual(early.mostBytes);
  }
  expect(early.take(9999).length).toBe(4);
});

it.each([
  ['bytes', 3, 1500],
  ['messages', 5, 1],
])('cases: peers 10: refuses more %s than a sender owes in an attempt', (_, count, bytes) => {
  const early = new EarlySums(most);
  for (let frame = 1; frame < count; frame++) early.keep(A, sum(3, bytes));
  expect(() => early.keep(A, sum(3, bytes))).toThrow('LOCKSTEP_NODE_CONTRIBUTION');
});

it('cases: peers 10: drops what a sender has sent with its connection', () => {
  const early = new EarlySums(most);
  early.keep(A, sum(3));
  early.keep(B, sum(3));
  early.forget(A);
  expect(early.take(3).map(({ from }) => from)).toEqual([B]);
});
