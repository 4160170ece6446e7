import type { LockstepError } from '@lockstep/core/errors';
import { type Link, type MessageOf, PIECE_BYTES } from '@lockstep/core/wire';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RemoteNode } from './remote-node.js';
import { offerState } from './state-transfer.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The far end of a connection that lets pieces leave when it is told to. */
function openFarEnd() {
  const sent: (MessageOf<'state'> & { readonly bytes: number })[] = [];
  const refused: string[] = [];
  let left = 0;
  let wake: (() => void)[] = [];
  const link = {
    isOpen: true,
    refuse: ({ code }: LockstepError): void => {
      refused.push(code);
      link.isOpen = false;
    },
    get inFlight() {
      return sent.length - left;
    },
    send: (message: MessageOf<'state'>, piece: Uint8Array) => sent.push({ ...message, bytes: piece.length }),
    drain: async (most = 0): Promise<void> => {
      while (link.isOpen && link.inFlight > most) await new Promise<void>((resolve) => wake.push(resolve));
    },
  };
  const node = { link: link as unknown as Link, isRestored: false } as RemoteNode;
  const takeIn = async (pieces: number): Promise<void> => {
    left = Math.min(sent.length, left + pieces);
    for (const resolve of wake.splice(0)) resolve();
    wake = [];
    await vi.advanceTimersByTimeAsync(0);
  };
  return { node, sent, refused, takeIn };
}

const state = { step: 7, bytes: Buffer.alloc(20 * PIECE_BYTES + 5) };

it('has eight pieces of a state on their way, and goes on from where the node has it', async () => {
  const { node, sent, takeIn } = openFarEnd();
  offerState(node, state, 3 * PIECE_BYTES, () => Number.POSITIVE_INFINITY);
  await takeIn(0);
  expect(sent.length).toBe(8);
  await takeIn(4);
  expect(sent.length).toBe(12);
  await takeIn(100);
  await takeIn(100);
  expect(sent.map(({ offset }) => offset)).toEqual(Array.from({ length: 18 }, (_, piece) => (3 + piece) * PIECE_BYTES));
  expect(sent.at(-1)).toMatchObject({ step: 7, total: state.bytes.length, bytes: 5 });
});

it('turns a node away when its state takes longer than a step may wait, as that is now', async () => {
  const { node, refused } = openFarEnd();
  let limitMs = Number.POSITIVE_INFINITY;
  offerState(node, state, 0, () => limitMs);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(refused).toEqual([]);
  limitMs = 5000;
  await vi.advanceTimersByTimeAsync(200);
  expect(refused).toEqual(['LOCKSTEP_NODE_SLOW']);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(refused.length).toBe(1);
});

it('turns a node away that does not say in two minutes that it has the state', async () => {
  const { node, refused, takeIn } = openFarEnd();
  offerState(node, state, 0, () => Number.POSITIVE_INFINITY);
  for (let round = 0; round < 4; round++) await takeIn(100);
  await vi.advanceTimersByTimeAsync(119_000);
  expect(refused).toEqual([]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(refused).toEqual(['LOCKSTEP_NODE_STALLED']);
});

it('is over when the node has the state', async () => {
  const { node, refused } = openFarEnd();
  offerState(node, state, 0, () => 5000);
  node.isRestored = true;
  await vi.advanceTimersByTimeAsync(100);
  expect(vi.getTimerCount()).toBe(0);
  expect(refused).toEqual([]);
});
