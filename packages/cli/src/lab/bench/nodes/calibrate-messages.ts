/** What a frame costs a node's main thread: two processes over loopback, by the processor time of each. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { listenForNodes } from '@lockstep/coordinator/members';
import { LockstepError } from '@lockstep/core/errors';
import { bytesOf } from '@lockstep/core/run';
import { type Link, MAX_PAYLOAD_BYTES, type MessageOf } from '@lockstep/core/wire';
import { loadKernels } from '@lockstep/kernels';
import type { Costs } from '../../simulate/costs.js';

/** What the other process is told. */
export interface PeerTask {
  readonly url: string;
}

/** For both ends: the measurement has no handshake. */
export const CALIBRATION_KEY = Buffer.alloc(32, 1);
/** Ends a measurement; its answer is the processor time of the other process. */
const SUM: MessageOf<'partial'> = { type: 'partial', step: 1, generation: 1, begin: 0, end: 1, offset: 0 };
/** Frames on their way, as in a step. */
const WINDOW = 6;
const SMALL_BYTES = 64;
/** Frames for each second of measurement. */
const SMALL_RATE = 4000;
const LARGE_RATE = 400;
const WARM_COUNT = 50;

/**
 * Measures sending and receiving. A small frame goes there and back, since in a step each comes by itself and wakes
 * its receiver; large ones go one after the other.
 *
 * @param seconds about how long each of the two takes
 */
export async function measureMessages(seconds: number): Promise<Costs['message']> {
  const smallCount = Math.ceil(SMALL_RATE * seconds);
  const largeCount = Math.ceil(LARGE_RATE * seconds);
  let take: (link: Link) => void;
  const linked = new Promise<Link>((resolve) => (take = resolve));
  const server = await listenForNodes({ host: '127.0.0.1', port: 0, hasToken: true }, async (link) => take(link));
  const peer = fork(fileURLToPath(new URL('./calibrate-peer.js', import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const lost = new Promise<never>((_, reject) => {
    void linked.then((link) => (link.onClose = reject));
    peer.once('exit', (code) => {
      const text = `the process that frames are sent to ended with code ${code}. Its own message stands above.`;
      reject(new LockstepError('LOCKSTEP_BENCH_PROCESS', text));
    });
  });
  lost.catch(() => {});
  const measure = async (): Promise<Costs['message']> => {
    const isReady = once(peer, 'message');
    peer.send({ url: server.url } satisfies PeerTask);
    const link = await linked;
    link.secure(CALIBRATION_KEY);
    await isReady;
    const askPeer = async (): Promise<number> => {
      peer.send('cpu');
      const [seconds] = (await once(peer, 'message')) as [number];
      return seconds;
    };
    await bounce(link, WARM_COUNT);
    const small = await timeBoth(askPeer, () => bounce(link, smallCount));
    // both ends do the same: a send and a receive each
    const each = (small.here + small.there) / 4 / smallCount;
    await pump(link, WARM_COUNT);
    const large = await timeBoth(askPeer, () => pump(link, largeCount));
    const perByte = (spent: number): number => Math.max(0, spent / largeCount - each) / MAX_PAYLOAD_BYTES;
    return { send: each, receive: each, sendByte: perByte(large.here), receiveByte: perByte(large.there) };
  };
  try {
    return await Promise.race([measure(), lost]);
  } finally {
    peer.kill('SIGKILL');
    await server.close();
  }
}

async function timeBoth(askPeer: () => Promise<number>, work: () => Promise<void>) {
  const [here, there] = [cpuSeconds(), await askPeer()];
  await work();
  return { here: cpuSeconds() - here, there: (await askPeer()) - there };
}

export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function bounce(link: Link, count: number): Promise<void> {
  const payload = new Uint8Array(SMALL_BYTES);
  for (let i = 0; i < count; i++) {
    const back = awaitFrame(link);
    link.send(SUM, payload);
    await back;
  }
}

/** Sends large frames; the other end answers the last. */
async function pump(link: Link, count: number): Promise<void> {
  const payload = new Uint8Array(MAX_PAYLOAD_BYTES);
  const back = awaitFrame(link);
  for (let i = 0; i < count; i++) {
    await link.drain(WINDOW - 1);
    link.send({ ...SUM, end: i === count - 1 ? 2 : 1 }, payload);
  }
  await back;
}

const awaitFrame = (link: Link): Promise<void> => new Promise((resolve) => (link.onFrame = () => resolve()));

/** What a step does with a frame of floats. */
export function keepFloats(payload: Uint8Array, place: Float32Array): void {
  const floats = place.subarray(0, payload.length / 4);
  bytesOf(floats).set(payload);
  loadKernels().findNotFinite(floats);
}
