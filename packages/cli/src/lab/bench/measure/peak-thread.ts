/** A thread of the peak meter: waits for its tasks, meets the others, and runs multiply-adds that touch no memory. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadKernels } from '@lockstep/kernels';
import type { PeakTask, PeakThreadData } from './peak-meter.js';

const { arrived, thread, isa } = workerData as PeakThreadData;
const kernels = loadKernels(isa);

parentPort?.on('message', ({ iterations, together, results }: PeakTask) => {
  // A burst that does not count: clocks and vector units wake up.
  kernels.fmaPeak(iterations);
  Atomics.add(arrived, 0, 1);
  while (Atomics.load(arrived, 0) < together);
  const began = process.hrtime.bigint();
  const gigaflops = kernels.fmaPeak(iterations);
  const ended = process.hrtime.bigint();
  results.set([Number(began), Number(ended), gigaflops], 3 * thread);
  parentPort?.postMessage('done');
});
