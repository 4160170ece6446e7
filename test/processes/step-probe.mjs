/**
 * Loaded into every thread of a run (node --import): in each worker thread it counts, between two steps of one segment,
 * bytes of the JavaScript heap, garbage collections and messages posted, and says so on stderr after the segment.
 * PROBE_ADDS=bytes or messages makes each step do one thing that it must not, to show that the probe would see it.
 */
import { writeSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { isMainThread, MessagePort } from 'node:worker_threads';

/** By then V8 has compiled what it will. */
const FIRST_STEP = 5000;
const STEPS = 1000;
const STDERR = 2;

if (!isMainThread) await probe();

async function probe() {
  const { NativeEngine } = await import('../../packages/worker/dist/native-engine/native-engine.js');
  const collections = new PerformanceObserver(() => {});
  collections.observe({ entryTypes: ['gc'] });
  let messages = 0;
  const { postMessage } = MessagePort.prototype;
  MessagePort.prototype.postMessage = function count(...parameters) {
    messages++;
    return postMessage.apply(this, parameters);
  };
  const measure = () => ({ at: performance.now(), messages, bytes: getHeapStatistics().used_heap_size });
  const adds = process.env['PROBE_ADDS'];
  const kept = new Array(STEPS);
  const { contribute } = NativeEngine.prototype;
  let from;
  NativeEngine.prototype.contribute = function probed(call) {
    // The first measurements allocate more than the later ones, and V8 compiles steps again that have come to measure.
    if (call.step <= FIRST_STEP && call.step % 500 < 20) from = measure();
    if (call.step === FIRST_STEP + STEPS) report(call.firstShard, from, measure());
    if (adds === 'bytes') kept[call.step % STEPS] = [call.step];
    if (adds === 'messages') new MessageChannel().port1.postMessage(call.step);
    contribute.call(this, call);
  };

  /** The observer hears of collections once the segment is over and the thread's loop turns. */
  function report(worker, start, end) {
    setImmediate(() => {
      const within = collections.takeRecords().filter(({ startTime: at }) => at >= start.at && at <= end.at);
      const line = { worker, bytes: end.bytes - start.bytes, messages: end.messages - start.messages };
      writeSync(STDERR, `probe ${JSON.stringify({ ...line, collections: within.length })}\n`);
    });
  }
}
