/**
 * Borders of zeros around tensors: what a convolution and its gradients read beside the pixels that are there. Written
 * once when the scratch is made, never after.
 */
import type { Layer } from '@lockstep/core/model';
import { type Border, NO_BORDER } from '@lockstep/kernels';
import { isDense } from './units.js';

/** Outputs along each side of a tile of Winograd's F(4x4, 3x3), and the inputs it reads. */
const WINOGRAD = { outputs: 4, inputs: 6 } as const;

/**
 * Zeros that whole Winograd tiles read behind an input of `input` pixels; given to every 3x3 kernel of stride 1, whether
 * it is done that way or not.
 */
const tileOverhang = (output: number, input: number, before: number): number =>
  (Math.ceil(output / WINOGRAD.outputs) - 1) * WINOGRAD.outputs + WINOGRAD.inputs - before - input;

/** Outputs that lack to a whole number of tiles. */
const missingOfTile = (output: number): number => Math.ceil(output / WINOGRAD.outputs) * WINOGRAD.outputs - output;

/** Border of zeros that a convolution reads around its input. */
export function inputBorder(layer: Layer): Border {
  const { spec, input, output } = layer;
  if (spec.type !== 'conv' || isDense(layer)) return NO_BORDER;
  const { padding, kernel, stride } = spec;
  if (kernel !== 3 || stride !== 1) return { before: padding, after: padding };
  const overhang = (side: 'height' | 'width'): number => tileOverhang(output[side], input[side], padding);
  return { before: padding, after: Math.max(padding, overhang('height'), overhang('width')) };
}

/** Border of zeros that the gradient of a convolution's output needs around it for the weight and input gradients. */
export function gradientBorder(layer: Layer, hasInputGradient: boolean): Border {
  const { spec, input, output } = layer;
  if (spec.type !== 'conv' || isDense(layer)) return NO_BORDER;
  const { kernel, stride, padding } = spec;
  const isTiled = kernel === 3 && stride === 1;
  const fill = isTiled ? Math.max(missingOfTile(output.height), missingOfTile(output.width)) : 0;
  if (!hasInputGradient) return { before: 0, after: fill };
  const before = Math.max(0, -Math.floor((padding - (kernel - 1)) / stride));
  const beyond = (side: 'height' | 'width'): number => {
    const reach = Math.floor((input[side] - 1 + padding) / stride) - (output[side] - 1);
    return isTiled ? Math.max(reach, tileOverhang(input[side], output[side], before)) : reach;
  };
  return { before, after: Math.max(fill, beyond('height'), beyond('width')) };
}

export const widest = (a: Border, b: Border): Border => ({
  before: Math.max(a.before, b.before),
  after: Math.max(a.after, b.after),
});

export const isNone = ({ before, after }: Border): boolean => before + after === 0;
