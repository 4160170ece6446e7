/**
 * Shows what reaches a linear layer in training: with zero weights every class is as probable as the other, the
 * gradient of a sample's logits is known, -1/2 at its label, and the weight gradient is that times the layer's input.
 */
import { elementCount, type Shape } from '@lockstep/core/model';
import { type ModelSpecInput, parseModelSpec, type RecipeInput } from '@lockstep/core/spec';
import { prepareNativeStep } from './test-harness.js';

export interface Probe {
  readonly shape: Shape;
  /** [image][channel][row][column]; image 0 must be 0 throughout, as must what the layers before make of it. */
  readonly images: Uint8Array;
  /** Layers between the image and the linear layer. */
  readonly layers?: ModelSpecInput['layers'];
  readonly recipe?: RecipeInput;
  readonly isa?: string;
  readonly seed?: number;
  readonly step?: number;
  readonly epoch?: number;
  readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** Pixels as they are: value v is v. */
export const identity = (channels: number) => ({
  mean: Array.from({ length: channels }, () => 0),
  std: Array.from({ length: channels }, () => 1 / 255),
});

/** The input of the linear layer for one image, which stands at `position` of its step among images 0. */
export function probeInput(probe: Probe, image: number, position = 0): Float32Array {
  const { shape, images, layers = [], recipe, ...rest } = probe;
  const features = elementCount(shape);
  const model = parseModelSpec({
    name: 'probe',
    input: shape,
    classes: 2,
    layers: [...layers, { type: 'flatten' }, { type: 'linear', outFeatures: 2, bias: false }],
  });
  const samples = position + 1;
  const order = Int32Array.from({ length: samples }, (_, i) => (i === position ? image : 0));
  const run = prepareNativeStep({
    ...rest,
    model,
    recipe: recipe ?? {},
    parameters: [new Float32Array(2 * features)],
    buffers: [],
    images,
    labels: new Uint8Array(images.length / features),
    samples,
    order,
    normalization: probe.normalization ?? identity(shape.channels),
  });
  const [gradient] = run.parts(run.contribute());
  return (gradient?.values ?? new Float32Array(0)).subarray(0, features).map((value) => value / -0.5 + 0); // no -0
}
