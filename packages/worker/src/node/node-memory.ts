/** What a node's workers share with their kernels: the arena, the epoch's order and the data, where the kernels reach them. */
import type { Dataset, Split } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import { allocateAligned, findIsa, type KernelChoice, type KernelMemory, openMemory, place } from '@lockstep/kernels';
import type { NodeWorkerData } from '../threads/thread-messages.js';

type NodeMemory = Pick<NodeWorkerData, 'arena' | 'kernels' | 'order' | 'splits'>;

/**
 * Allocates them, with a copy of the data for WebAssembly's kernels, which reach nothing outside of their memory.
 *
 * @param floats of the arena
 * @throws LockstepError LOCKSTEP_WASM_MEMORY when WebAssembly's kernels cannot hold so much
 */
export function allocateNodeMemory(dataset: Dataset, floats: number, choice: KernelChoice | undefined): NodeMemory {
  try {
    const kernels = openMemory(findIsa(choice));
    return {
      kernels,
      arena: allocateAligned(floats, kernels),
      order: place(new Int32Array(new SharedArrayBuffer(dataset.train.count * 4)), kernels),
      splits: placeSplits(dataset, kernels),
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'LOCKSTEP_WASM_MEMORY') throw error;
    throw new LockstepError('LOCKSTEP_WASM_MEMORY', message, { cause: error });
  }
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
