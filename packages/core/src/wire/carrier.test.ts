import { describe, expect, it } from 'vitest';
import type { Carrier, Carriers } from './carrier.js';
import { carryBy } from './carry-by.js';
import type { Frame } from './frames.js';
import { Link } from './link.js';
import type { Socket } from './socket.js';

/** A socket that keeps what is sent, in parts. */
class RecordingSocket implements Socket {
  readonly bufferedAmount = 0;
  readonly readyState = 1;
  readonly sent: Uint8Array[] = [];
  send(data: Uint8Array): void {
    this.sent.push(data);
  }
  ping(): void {}
  close(): void {}
  terminate(): void {}
  on(): void {}
}

/** Two ranks in one process: what one sends the other gets at the next turn. */
class Wire implements Carrier {
  take: (parts: readonly Buffer[]) => void = () => {};
  other: Wire | undefined;
  send(header: Uint8Array, payload: Uint8Array, done: () => void): void {
    this.other?.take([Buffer.from(header), Buffer.from(payload)]);
    queueMicrotask(done);
  }
  receive(take: (parts: readonly Buffer[]) => void): void {
    this.take = take;
  }
}

const timings = { heartbeatMs: 1e6, silenceMs: 1e7 };
const carriersOf = (rank: number, wire: Wire): Carriers => ({ rank, to: () => wire });

function joinPair() {
  const [near, far] = [new Wire(), new Wire()];
  near.other = far;
  far.other = near;
  const sockets = [new RecordingSocket(), new RecordingSocket()] as const;
  const links = [
    new Link(sockets[0], 'listener', 'far', timings),
    new Link(sockets[1], 'caller', 'near', timings),
  ] as const;
  for (const link of links) link.secure(new Uint8Array(32));
  carryBy(links[0], carriersOf(0, near), 1);
  carryBy(links[1], carriersOf(1, far), 0);
  return { sockets, links };
}

describe('carryBy', () => {
  it('takes the floats of steps off the connection, and nothing else', async () => {
    const { sockets, links } = joinPair();
    const got: Frame[] = [];
    links[1].onFrame = (frame) => got.push(frame);
    const payload = Uint8Array.of(1, 2, 3, 4);
    links[0].send({ type: 'reduced', step: 3, generation: 4, offset: 16 }, payload);
    expect(links[0].inFlight).toBe(1);
    await links[0].drain();
    links[0].send({ type: 'peers', peers: [] });
    expect(got.map(({ message }) => message)).toEqual([{ type: 'reduced', step: 3, generation: 4, offset: 16 }]);
    expect([...(got[0] as Frame).payload]).toEqual([1, 2, 3, 4]);
    expect(sockets[0].sent).toHaveLength(1);
    for (const link of links) link.close(undefined, 'the test is over');
  });

  it('drops what comes when the link is closed', () => {
    const { links } = joinPair();
    const got: Frame[] = [];
    links[1].onFrame = (frame) => got.push(frame);
    links[1].close(undefined, 'the test is over');
    links[0].send({ type: 'reduced', step: 3, generation: 4, offset: 16 }, Uint8Array.of(0, 0, 0, 0));
    expect(got).toEqual([]);
    links[0].close(undefined, 'the test is over');
  });

  it.each([
    ['this side', new Wire(), undefined],
    ['the other side', undefined, 1],
  ])('refuses a run in which only %s has MPI', (who, wire, rank) => {
    const link = new Link(new RecordingSocket(), 'listener', 'far', timings);
    expect(() => carryBy(link, wire && carriersOf(0, wire), rank)).toThrow(`${who} sends floats over MPI`);
    link.close(undefined, 'the test is over');
  });
});
