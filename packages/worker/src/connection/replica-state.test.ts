import type { NodeSnapshot } from '@lockstep/core/seams';
import { hashPieces, type MessageOf } from '@lockstep/core/wire';
import { expect, it } from 'vitest';
import { StateAssembly } from './replica-state.js';

const LENGTH = 40;
const shape = { length: LENGTH, slots: 1, hasAverage: false };
const vector = (first: number): Float32Array => Float32Array.from({ length: LENGTH }, (_, at) => first + at);
const snapshot = (step: number, first: number): NodeSnapshot => ({
  step,
  state: vector(first),
  slots: [vector(first + 0.5)],
  results: new Float32Array(0),
});
const bytesOf = ({ state, slots }: NodeSnapshot): Buffer =>
  Buffer.concat([state, ...slots].map((floats) => Buffer.from(floats.buffer)));

const wanted = snapshot(7, 3);
const bytes = bytesOf(wanted);
const piece = (offset: number, step = 7): MessageOf<'state'> => ({ type: 'state', step, offset, total: bytes.length });

it('cases: peers 14: a state goes on where the connection before had ended', () => {
  const assembly = new StateAssembly(shape);
  assembly.add(piece(0), bytes.subarray(0, 100));
  const held = assembly.describe(snapshot(0, 0));
  expect(held).toEqual({ step: 7, bytes: 100, hash: hashPieces([bytes.subarray(0, 100)]) });
  expect(assembly.add(piece(100), bytes.subarray(100))).toEqual(wanted);
});

it('cases: peers 14: of a state that the replica has nothing travels', () => {
  const assembly = new StateAssembly(shape);
  expect(assembly.describe(wanted)).toEqual({ step: 7, bytes: bytes.length, hash: hashPieces([bytes]) });
  expect(assembly.add(piece(bytes.length), new Uint8Array(0))).toEqual(wanted);
});

it('begins anew with the first byte of another state', () => {
  const assembly = new StateAssembly(shape);
  assembly.add(piece(0, 6), bytes.subarray(0, 100));
  assembly.describe(snapshot(0, 0));
  expect(assembly.add(piece(0), bytes)).toEqual(wanted);
});

it('refuses a piece that does not follow', () => {
  const assembly = new StateAssembly(shape);
  assembly.add(piece(0), bytes.subarray(0, 100));
  expect(() => assembly.add(piece(120), bytes.subarray(120))).toThrow(
    `LOCKSTEP_NODE_STATE: the state of step 7 does not fit together at byte 120 of ${bytes.length}.`,
  );
});
