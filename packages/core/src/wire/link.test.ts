import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LockstepError } from '../errors/errors.js';
import { Link } from './link.js';
import type { MessageOf } from './messages.js';
import type { Pipe, Socket } from './socket.js';

/** A socket and what is beneath it: bytes are read from memory when they leave, and not before. */
class LazySocket implements Socket, Pipe {
  readyState = 1;
  bufferedAmount = 0;
  bytesRead = 0;
  pings = 0;
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
  ping(): void {
    if (this.readyState === 0) throw new Error('WebSocket is not open: readyState 0 (CONNECTING)');
    this.pings += 1;
  }
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

/** Silent after a second. */
function openTimedLink() {
  const socket = new LazySocket();
  const link = new Link(socket, 'listener', 'far', { heartbeatMs: 100, silenceMs: 1000 });
  link.pipe = socket;
  let code = '';
  link.onClose = (reason) => (code = reason.code);
  return { socket, link, reason: () => code };
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

it('bounds: sums on their way: lie where they are until they have left, and are not copied', () => {
  const { socket, link } = openLink();
  const given: ArrayBufferLike[] = [];
  const send = socket.send.bind(socket);
  socket.send = (data) => {
    given.push(data.buffer);
    send(data);
  };
  const arena = new Float32Array(new SharedArrayBuffer(4 * 2 ** 18));
  for (let sent = 0; sent < 1000; sent++) link.send(sum, new Uint8Array(arena.buffer));
  expect(given.filter((buffer) => buffer === arena.buffer)).toHaveLength(1000);
  expect(link.inFlight).toBe(1000);
  link.close(undefined, 'the test is over');
});

it('lets go at once of what is flushed', () => {
  const { socket, link } = openLink();
  link.send(sum, Buffer.from('one '));
  link.flush();
  expect(socket.left.map(String)).toContain('one ');
  link.close(undefined, 'the test is over');
});

it('keeps what nobody waits for until something else leaves, or for a moment', () => {
  vi.useFakeTimers();
  try {
    const { socket, link } = openLink();
    link.sendLater({ type: 'end', text: 'later', exitCode: 0 });
    vi.advanceTimersByTime(20);
    expect(socket.left).toEqual([]);
    link.send(sum, Buffer.from('one '));
    link.flush();
    expect(socket.left).toHaveLength(3);
    expect(String(socket.left[0])).toContain('later');
    link.sendLater({ type: 'end', text: 'alone', exitCode: 0 });
    vi.advanceTimersByTime(30);
    link.flush();
    expect(socket.left).toHaveLength(4);
    expect(String(socket.left[3])).toContain('alone');
    link.close(undefined, 'the test is over');
  } finally {
    vi.useRealTimers();
  }
});

it('shows no sign of life before the connection is open, and gives up one that does not open', () => {
  vi.useFakeTimers();
  try {
    const socket = new LazySocket();
    socket.readyState = 0;
    const link = new Link(socket, 'caller', 'far', { heartbeatMs: 100, silenceMs: 1000 });
    let reason = '';
    link.onClose = ({ code }) => (reason = code);
    vi.advanceTimersByTime(500);
    expect(socket.pings).toBe(0);
    socket.readyState = 1;
    vi.advanceTimersByTime(400);
    expect(socket.pings).toBe(4);
    vi.advanceTimersByTime(300);
    expect(reason).toBe('LOCKSTEP_NODE_SILENT');
  } finally {
    vi.useRealTimers();
  }
});

describe('time', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('cases: peers 14: takes bytes of a message that is still on its way for a sign of life', () => {
    const { socket, link, reason } = openTimedLink();
    for (let count = 0; count < 50; count++) {
      socket.bytesRead += 1;
      vi.advanceTimersByTime(900);
    }
    expect(link.isOpen).toBe(true);
    vi.advanceTimersByTime(1200);
    expect(reason()).toBe('LOCKSTEP_NODE_SILENT');
  });

  it('cases: peers 14: gives up one that sends and takes nothing in, when the largest payload had time to leave', () => {
    const { socket, link, reason } = openTimedLink();
    link.send(sum, Buffer.from('never taken'));
    const live = (seconds: number): void => {
      for (let count = 0; count < 2 * seconds; count++) {
        socket.bytesRead += 1;
        vi.advanceTimersByTime(500);
      }
    };
    live(60);
    expect(link.isOpen).toBe(true);
    live(10);
    expect(reason()).toBe('LOCKSTEP_NODE_STALLED');
  });
});

it('bounds: words on their way: who sends pings and takes no answers in is given up before they fill the memory', () => {
  const handlers = new Map<string, () => void>();
  const on = (event: string, handler: () => void): void => void handlers.set(event, handler);
  const socket = Object.assign(new LazySocket(), { on });
  const link = new Link(socket, 'listener', 'far', { heartbeatMs: 1e6, silenceMs: 1e7 });
  let code = '';
  link.onClose = (reason) => (code = reason.code);
  // what was sent to it may wait
  link.send(sum, Buffer.alloc(2 ** 20));
  socket.bufferedAmount = 1.5 * 2 ** 20;
  handlers.get('ping')?.();
  expect(code).toBe('');
  socket.bufferedAmount = 2.5 * 2 ** 20;
  handlers.get('ping')?.();
  expect(code).toBe('LOCKSTEP_NODE_STALLED');
});
