import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { LockstepError } from './errors.js';
import { Link, type Pipe, type Socket } from './link.js';
import type { MessageOf } from './messages.js';

/** A socket and what is beneath it: bytes are read from memory when they leave, and not before. */
class LazySocket implements Socket, Pipe {
  readonly left: Buffer[] = [];
  #waiting: Uint8Array[] = [];
  #corks = 0;
  send(data: Uint8Array): void {
    this.#waiting.push(data);
    this.#flush();
  }
  cork(): void {
    this.#corks += 1;
  }
  uncork(): void {
    expect(this.#corks).toBeGreaterThan(0);
    this.#corks -= 1;
    this.#flush();
  }
  #flush(): void {
    if (this.#corks === 0) this.left.push(...this.#waiting.splice(0).map((data) => Buffer.from(data)));
  }
  ping(): void {}
  close(): void {}
  terminate(): void {}
  on(): void {}
}

const sum: MessageOf<'reduced'> = { type: 'reduced', step: 3, generation: 1, offset: 0 };

function openLink(): { socket: LazySocket; link: Link } {
  const socket = new LazySocket();
  const link = new Link(socket, 'listener', 'far', { heartbeatMs: 1e6, silenceMs: 1e7 });
  link.pipe = socket;
  return { socket, link };
}

it('sends the frames of a turn together', async () => {
  const { socket, link } = openLink();
  link.send(sum, Buffer.from('one '));
  link.send(sum, Buffer.from('two '));
  expect(socket.left).toEqual([]);
  await setImmediate();
  expect(socket.left.map(String).filter((text) => text.length === 4)).toEqual(['one ', 'two ']);
  link.close(undefined, 'the test is over');
});

it('sends what it was given before it closes: after that the bytes may change', async () => {
  const { socket, link } = openLink();
  const payload = Buffer.from('sums of step 3');
  link.send(sum, payload);
  link.refuse(new LockstepError('LOCKSTEP_NODE_CONTRIBUTION', 'its result was not a finite number'));
  await link.drain();
  payload.fill(0);
  await setImmediate();
  expect(String(socket.left[1])).toBe('sums of step 3');
  expect(String(socket.left[2])).toContain('its result was not a finite number');
});
