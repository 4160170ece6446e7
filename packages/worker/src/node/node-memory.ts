/** What a node's workers share with their kernels: the arena, the epoch's order and the data, where the kernels reach them. */
import type { Dataset, Split } from '@lockstep/core/data';
import { allocateAligned, findIsa, type KernelChoice, type KernelMemory, openMemory, place } from '@lockstep/kernels';
import { type MemoryPlan, viewProgress } from '../plan/memory-plan.js';
import type { NodeWorkerData } from '../threads/thread-messages.js';
import { withKernelCodes } from './kernels-error.js';

type NodeMemory = Pick<NodeWorkerData, 'arena' | 'progress' | 'kernels' | 'order' | 'splits'>;

/**
 * Allocates them, with a copy of the data for WebAssembly's kernels, which reach nothing outside of their memory.
 *
 * @param plan of the arena
 * @throws LockstepError LOCKSTEP_KERNELS when no such build can run here, LOCKSTEP_WASM_MEMORY when WebAssembly's kernels cannot hold so much
 */
export function allocateNodeMemory(
  dataset: Dataset,
  plan: MemoryPlan,
  workers: number,
  choice: KernelChoice | undefined,
): NodeMemory {
  return withKernelCodes(() => {
    const kernels = openMemory(findIsa(choice));
    const arena = allocateAligned(plan.floats, kernels);
    return {
      kernels,
      arena,
      progress: viewProgress(arena, plan, workers),
      order: place(new Int32Array(new SharedArrayBuffer(dataset.train.count * 4)), kernels),
      splits: placeSplits(dataset, kernels),
    };
  });
}

function placeSplits(dataset: Dataset, kernels: KernelMemory): NodeMemory['splits'] {
  const placed = ({ count, images, labels }: Split): Split => ({
    count,
    images: place(images, kernels),
    labels: place(labels, kernels),
  });
  const { train, validation, test } = dataset;
  return { train: placed(train), validation: placed(validation), test: placed(test) };
}
