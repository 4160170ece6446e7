/**
 * Faults on purpose, for the tests of what a node survives. LOCKSTEP_FAULT=point:worker:step:kind makes one worker
 * throw, exit or stall at a named point of the protocol, or spoil what it has computed; once, or as often as a fifth
 * field says. `lie` spoils it in every step from the named one on, by numbers that look well.
 */
import type { Control } from './control.js';

/**
 * In the order in which a step passes them; `start` is before, when a thread loads (its worker and step are 0),
 * `evaluate` before a chunk of an evaluation (its step is the state's).
 */
export type FaultPoint = 'start' | 'contribute' | 'contributed' | 'update' | 'updated' | 'evaluate';

/**
 * Called at each point, in front of what it is named after.
 *
 * @param sums what the worker has computed for others, one vector after the other, of this many floats each
 */
export type FaultHook = (
  point: FaultPoint,
  worker: number,
  step: number,
  sums?: { readonly floats: Float32Array; readonly length: number },
) => void;

/** Faults of the whole process: the only ones that the main thread has. */
const PROCESS_KINDS = ['kill', 'stop'];

/** Finite, and what is trained with it soon is not. */
const HUGE = 1e37;

/**
 * @param isWorker false on the main thread, which does small updates of steps that several nodes share
 * @returns undefined when no fault is asked for
 */
export function readFault(control: Control, isWorker = true): FaultHook | undefined {
  const [point, worker, step, kind, times = '1'] = (process.env['LOCKSTEP_FAULT'] ?? '').split(':');
  if (kind === undefined || !(isWorker || PROCESS_KINDS.includes(kind))) return undefined;
  return (here, me, now, sums) => {
    if (here !== point || me !== Number(worker)) return;
    if (kind === 'lie' && now >= Number(step) && sums)
      for (let at = 0; at < sums.floats.length; at += sums.length) sums.floats[at] = 0.5 + (sums.floats[at] as number);
    if (kind === 'lie' || now !== Number(step) || !control.takeFault(Number(times))) return;
    if (kind === 'throw') throw new Error(`fault injected at ${here}`);
    if (kind === 'exit') process.exit(7);
    // one float, which is harder to see than all
    if (kind === 'nan' && sums)
      for (let at = 0; at < sums.floats.length; at += sums.length) sums.floats[at] = Number.NaN;
    if (kind === 'huge' && sums)
      for (let at = 0; at < sums.floats.length; at++) sums.floats[at] = at % 2 === 0 ? HUGE : -HUGE;
    // the whole process, as a power cut or a closed lid would
    if (kind === 'kill') process.kill(process.pid, 'SIGKILL');
    if (kind === 'stop') process.kill(process.pid, 'SIGSTOP');
    if (kind === 'stall') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
}
