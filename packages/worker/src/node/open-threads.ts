/** Which threads a node computes with. */
import type { OnWarning } from '@lockstep/core/seams';
import type { Control } from '../threads/control.js';
import { type CompileKernels, LaterThreads } from '../threads/later-kernels.js';
import type { NodeThreads } from '../threads/step-workers.js';
import type { NodeWorkerData } from '../threads/thread-messages.js';
import { WorkerPool } from '../threads/worker-pool.js';

export interface ThreadOptions {
  readonly onWarning?: OnWarning | undefined;
  /** Begin with the kernels that are there and go over to those that this compiles; for a node that computes alone. */
  readonly compileKernels?: CompileKernels | undefined;
  /** What computes, instead of a pool of threads. */
  readonly openThreads?: ((data: NodeWorkerData, control: Control) => NodeThreads) | undefined;
}

/** @param onEngine told the engine for people, when it becomes another one */
export function openThreads(
  { openThreads, compileKernels, onWarning }: ThreadOptions,
  data: NodeWorkerData,
  control: Control,
  onEngine: (engine: string) => void,
): NodeThreads {
  if (openThreads) return openThreads(data, control);
  if (compileKernels === undefined) return new WorkerPool(data, control);
  return new LaterThreads(data, control, {
    compileKernels,
    onGoneOver: (isa) => onEngine(`native (${isa})`),
    onStaying: (reason) => onWarning?.(stayingOnWasm(reason)),
  });
}

/** What is told where a run was to have the kernels for this machine compiled, and computes without them. */
export const stayingOnWasm = (reason: string) =>
  ({
    code: 'LOCKSTEP_KERNELS_LATER',
    message: `the run stays with the kernels in WebAssembly, to the same bits: ${reason}`,
  }) as const;
