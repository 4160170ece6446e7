/**
 * Training images as the network sees them: augmented by the kernels that train, not by a second version of them.
 *
 * No kernel hands out its input, but one answers with it: a linear layer of zero weights gives both of two classes the
 * probability 1/2, so the gradient of the first class's weights, for one image of that class, is -1/2 times the image.
 */
import type { Dataset } from '@lockstep/core/data';
import { elementCount } from '@lockstep/core/model';
import { ALIGNMENT } from '@lockstep/core/run';
import { BLOCK_SAMPLES, parseModelSpec, type Recipe, recipeSchema } from '@lockstep/core/spec';
import { callField } from '@lockstep/kernels';
import { SingleStep } from './single-step.js';

const GRADIENT_OF_INPUT = -0.5;

export class TrainingInputs {
  readonly #step: SingleStep;
  readonly #size: number;

  constructor({ channels, height, width, train }: Dataset, { augmentation }: Recipe, seed: number) {
    const model = parseModelSpec({
      name: 'inputs',
      input: { channels, height, width },
      classes: 2,
      layers: [{ type: 'flatten' }, { type: 'linear', outFeatures: 2, bias: false }],
    });
    this.#size = elementCount(model.input);
    this.#step = new SingleStep({
      model,
      recipe: recipeSchema.parse({ augmentation, batchSize: BLOCK_SAMPLES }),
      seed,
      data: { images: train.images, labels: new Uint8Array(train.count) },
      // pixels as they are: value v is v
      normalization: { mean: new Array<number>(channels).fill(0), std: new Array<number>(channels).fill(1 / 255) },
    });
    this.#step.args.arena.fill(0);
  }

  /**
   * One image in an epoch, before normalization: [channels][height][width], 0 to 255.
   *
   * @param epoch from 0
   * @param index in the training split
   */
  draw(epoch: number, index: number): Float32Array {
    const { args } = this.#step;
    args.order[0] = index;
    args.call[callField.samples] = 1;
    args.call[callField.endShard] = 1;
    args.call[callField.epoch] = epoch;
    this.#step.contribute();
    const at = (args.call[callField.partials] as number) * ALIGNMENT;
    return args.arena.slice(at, at + this.#size).map((value) => value / GRADIENT_OF_INPUT + 0); // no -0
  }
}
