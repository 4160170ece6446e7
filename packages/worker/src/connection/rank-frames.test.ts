import { expect, it } from 'vitest';
import { RankFrames } from './rank-frames.js';

const MIB = 2 ** 20;
const frame = (bytes: number): Buffer[] => [Buffer.alloc(8), Buffer.alloc(bytes - 8)];

it('hands on what came before there was a connection to its rank, in its order, and then what comes', () => {
  const frames = new RankFrames();
  const taken: number[] = [];
  const take = (parts: readonly Buffer[]): void => void taken.push(parts[1]?.length as number);
  frames.take(1, frame(20));
  frames.take(1, frame(30));
  frames.take(2, frame(99));
  frames.listen(1, take);
  frames.take(1, frame(40));
  expect(taken).toEqual([12, 22, 32]);
  expect(frames.keptBytes).toBe(99);
});

it.each([
  ['large ones', MIB],
  ['tiny ones', 16],
])('bounds: frames over MPI: of a rank without a connection little is kept, of %s', (_, bytes) => {
  const frames = new RankFrames();
  let most = 0;
  for (let sent = 0; sent < 1000; sent++) {
    frames.take(3, frame(bytes));
    most = Math.max(most, frames.keptBytes);
  }
  expect(most).toBeGreaterThan(8 * bytes);
  expect(most).toBeLessThanOrEqual(16 * MIB);
  expect(frames.keptBytes).toBe(0);
  const refusal = expect.objectContaining({
    code: 'LOCKSTEP_NODE_ORDER',
    message: expect.stringContaining(
      'MPI rank 3 sent more than 64 frames or 16,777,216 bytes before there was a connection to it.',
    ),
  });
  expect(() => frames.listen(3, () => {})).toThrow(refusal);
  // it has one more chance, with nothing of what it had sent
  frames.listen(3, () => {});
  frames.take(3, frame(bytes));
  expect(frames.keptBytes).toBe(0);
});
