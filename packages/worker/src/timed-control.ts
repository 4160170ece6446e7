/** The control block for measurements: it also adds up how long each worker stands at barriers. */
import { Control } from './control.js';

export class TimedControl extends Control {
  /** @param waits [worker]: milliseconds at barriers, shared by all threads of the node */
  constructor(
    words: Int32Array<SharedArrayBuffer>,
    workers: number,
    spins: boolean,
    private readonly waits: Float64Array,
  ) {
    super(words, workers, spins);
  }

  override meet(worker: number, step: number): boolean {
    const beganMs = performance.now();
    const goesOn = super.meet(worker, step);
    this.waits[worker] = (this.waits[worker] as number) + performance.now() - beganMs;
    return goesOn;
  }
}
