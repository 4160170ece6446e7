/** Training images for the chronicle of a run: as they are, and as the kernels that train on them see them. */

import { elementCount } from '@lockstep/core/model';
import type { RunView } from '@lockstep/core/seams';
import { type InputSheet, toDataUri } from '@lockstep/watch/chronicle';
import { TrainingInputs } from '@lockstep/worker/single-step';

const IMAGES = 12;

/** @returns what draws the first training images in an epoch, from 0 */
export function createInputDrawer({ dataset, recipe, seed }: RunView): (epoch: number) => InputSheet {
  const { channels, height, width, train } = dataset;
  const shape = { channels, height, width };
  const size = elementCount(shape);
  const inputs = new TrainingInputs(dataset, recipe, seed);
  const { rotation, shift, scale, centerCrop } = recipe.augmentation;
  return (epoch) => ({
    epoch: epoch + 1,
    isAugmented: rotation > 0 || shift > 0 || scale > 0 || centerCrop !== undefined,
    images: Array.from({ length: Math.min(IMAGES, train.count) }, (_, index) => ({
      index,
      label: train.labels[index] as number,
      original: toDataUri(shape, train.images.subarray(index * size, (index + 1) * size)),
      seen: toDataUri(shape, Uint8Array.from(inputs.draw(epoch, index), Math.round)),
    })),
  });
}
