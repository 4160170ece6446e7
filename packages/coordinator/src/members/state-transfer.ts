/**
 * The state on its way to a node that is ready, while the others go on. What they do meanwhile the node lacks then, and the
 * step that takes it in waits for as long again: so whom it takes too long is turned away.
 */
import { LockstepError } from '@lockstep/core/errors';
import { countOf, fixed } from '@lockstep/core/text';
import { PIECE_BYTES } from '@lockstep/core/wire';
import type { RemoteNode } from './remote-node.js';

/** Pieces on their way at a time. */
const WINDOW = 8;
/** For a node to say that it has the state, when the last piece has left. */
const RESTORED_MS = 120_000;
const LOOK_MS = 100;

/** A state as it travels. */
export interface StateBytes {
  readonly step: number;
  readonly bytes: Buffer;
}

/** Sends a state from an offset on, in pieces, at most so many of them at a time; at least one. */
export async function sendState(
  node: RemoteNode,
  { step, bytes }: StateBytes,
  from: number,
  most: number,
): Promise<void> {
  const { link } = node;
  for (let offset = from; link.isOpen; offset += PIECE_BYTES) {
    const piece = bytes.subarray(offset, offset + PIECE_BYTES);
    link.send({ type: 'state', step, offset, total: bytes.length }, piece);
    if (offset + PIECE_BYTES >= bytes.length) return;
    if (link.inFlight >= most) await link.drain(most - 1);
  }
}

/**
 * Sends a state while the others go on. Ends when the node says that it has it or is gone; whom it takes too long is refused.
 *
 * @param limitMs how long a step may wait for a state, now
 */
export function offerState(node: RemoteNode, state: StateBytes, from: number, limitMs: () => number): void {
  const beganMs = performance.now();
  let leftMs = Number.POSITIVE_INFINITY;
  const look = (): void => {
    const now = performance.now();
    const mostMs = limitMs();
    if (node.isRestored || !node.link.isOpen) clearInterval(watch);
    else if (now - beganMs > mostMs) node.link.refuse(slowError(state, mostMs));
    else if (now - leftMs > RESTORED_MS) node.link.refuse(mutedError(state));
  };
  const watch = setInterval(look, LOOK_MS);
  void sendState(node, state, from, WINDOW)
    .then(() => node.link.drain())
    .then(() => {
      leftMs = performance.now();
    });
}

function slowError({ bytes }: StateBytes, limitMs: number): LockstepError {
  const text =
    `its connection takes longer than ${fixed(limitMs / 1000, 1)} s for the state, ${countOf(bytes.length, 'byte')}, ` +
    'and each step that waited for it as long: ten times what the others take. It may try again.';
  return new LockstepError('LOCKSTEP_NODE_SLOW', text);
}

function mutedError({ step }: StateBytes): LockstepError {
  const text = `it was sent the state of step ${step}, and has not said within ${fixed(RESTORED_MS / 1000, 0)} s that it has it.`;
  return new LockstepError('LOCKSTEP_NODE_STALLED', text);
}
