/** A thread for control.test.ts: walks through barriers and keeps a log of what it saw there. */
import { workerData } from 'node:worker_threads';
import { Control } from '../../dist/threads/control.js';

const { words, workers, spins, worker, barriers, log, exitAt } = workerData;
const control = new Control(words, workers, spins);

control.enter(worker);
for (let barrier = 0; barrier < barriers; barrier++) {
  if (barrier === exitAt) process.exit(0);
  // Ahead of the barrier each thread adds one to the barrier's count; behind it the count must be complete.
  Atomics.add(log, barrier, 1);
  if (!control.meet(worker, barrier % 2 === 1 ? (barrier + 1) / 2 : -1)) break;
  if (Atomics.load(log, barrier) !== workers) Atomics.add(log, barriers, 1);
  // A step is committed once its second barrier is passed, and no later one can be before this thread is there.
  if (barrier % 2 === 1 && control.committed !== (barrier + 1) / 2) Atomics.add(log, barriers + 1, 1);
}
control.leave(worker);
