/**
 * The images of a shard as the network reads them: augmented, normalised, in TensorFlow's order. To the last bit what
 * the native kernels make of them (packages/kernels/native/input.cc): the same draws, the same roundings.
 */

import type { Dataset } from '@lockstep/core/data';
import { philox, purposes, toUniform } from '@lockstep/core/math';
import type { Shape } from '@lockstep/core/model';
import type { Augmentation } from '@lockstep/core/spec';
import type { EngineData } from '../engine.js';
import { fusedMultiplyAdd } from './fused-multiply-add.js';

/** How one image is moved; cosine and sine are of the angle, divided by the zoom. */
interface Move {
  readonly cosine: number;
  readonly sine: number;
  readonly x: number;
  readonly y: number;
}

const STILL: Move = { cosine: 1, sine: 0, x: 0, y: 0 };
const BYTE_VALUES = 256;
const { fround } = Math;

export interface InputOptions {
  readonly shape: Shape;
  readonly augmentation: Augmentation;
  readonly normalization: Pick<Dataset, 'mean' | 'std'>;
  readonly seed: number;
}

export class InputWriter {
  readonly #shape: Shape;
  readonly #scales: Float32Array;
  readonly #shifts: Float32Array;
  /** [channel][pixel value]. */
  readonly #table: Float32Array;
  readonly #cropProbability: number;
  readonly #isMoved: boolean;
  readonly #isTurned: boolean;
  readonly #words = new Uint32Array(4);

  constructor(private readonly options: InputOptions) {
    const { shape, augmentation, normalization } = options;
    this.#shape = shape;
    this.#scales = Float32Array.from(normalization.std, (std) => 1 / (255 * std));
    this.#shifts = Float32Array.from(normalization.mean, (mean, c) => -mean / (normalization.std[c] as number));
    this.#table = Float32Array.from({ length: shape.channels * BYTE_VALUES }, (_, i) =>
      this.#normalize(i % BYTE_VALUES, Math.floor(i / BYTE_VALUES)),
    );
    this.#cropProbability = fround(augmentation.centerCrop?.probability ?? 0);
    this.#isTurned = augmentation.rotation > 0 || augmentation.scale > 0 || this.#cropProbability > 0;
    this.#isMoved = this.#isTurned || augmentation.shift > 0;
  }

  /**
   * Images without augmentation.
   *
   * @param indices the image at each position
   * @returns [position][row][column][channel]
   */
  write(data: EngineData, indices: ArrayLike<number>): Float32Array {
    const out = this.#allocate(indices.length);
    for (let i = 0; i < indices.length; i++) this.#place(data, indices[i] as number, STILL, out, i);
    return out;
  }

  /** Images with the augmentation of an epoch. */
  writeAugmented(data: EngineData, indices: ArrayLike<number>, epoch: number): Float32Array {
    if (!this.#isMoved) return this.write(data, indices);
    const out = this.#allocate(indices.length);
    for (let i = 0; i < indices.length; i++) {
      const image = indices[i] as number;
      const move = this.#drawMove(image, epoch);
      if (this.#isTurned) this.#turn(data, image, move, out, i);
      else this.#place(data, image, move, out, i);
    }
    return out;
  }

  #allocate(count: number): Float32Array {
    const { channels, height, width } = this.#shape;
    return new Float32Array(count * height * width * channels);
  }

  #normalize(value: number, channel: number): number {
    return fusedMultiplyAdd(value, this.#scales[channel] as number, this.#shifts[channel] as number);
  }

  #drawMove(image: number, epoch: number): Move {
    const { seed, augmentation } = this.options;
    philox(seed, purposes.augmentation, epoch, image, 0, this.#words);
    const [turn, zoom, x, y] = Array.from(this.#words, toUniform) as [number, number, number, number];
    const { sine, cosine } = sineCosine((2 * turn - 1) * fround(augmentation.rotation));
    const factor = (1 + (2 * zoom - 1) * fround(augmentation.scale)) * this.#drawCrop(image, epoch);
    const range = 2 * augmentation.shift + 1;
    return {
      cosine: fround(cosine / factor),
      sine: fround(sine / factor),
      x: Math.floor(x * range) - augmentation.shift,
      y: Math.floor(y * range) - augmentation.shift,
    };
  }

  /** By how much the crop magnifies an image. */
  #drawCrop(image: number, epoch: number): number {
    const { seed, augmentation, shape } = this.options;
    if (augmentation.centerCrop === undefined) return 1;
    philox(seed, purposes.augmentation, epoch, image, 1, this.#words);
    const isCropped = toUniform(this.#words[0] as number) < this.#cropProbability;
    return isCropped ? fround(shape.width / augmentation.centerCrop.size) : 1;
  }

  /** Whole pixels only; zeros from outside. */
  #place({ images }: EngineData, image: number, { x: dx, y: dy }: Move, out: Float32Array, at: number): void {
    const { channels, height, width } = this.#shape;
    for (let c = 0; c < channels; c++) {
      const from = (image * channels + c) * height * width;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const sy = y - dy;
          const sx = x - dx;
          const isInside = sy >= 0 && sy < height && sx >= 0 && sx < width;
          const value = isInside ? (images[from + sy * width + sx] as number) : 0;
          out[((at * height + y) * width + x) * channels + c] = this.#table[c * BYTE_VALUES + value] as number;
        }
      }
    }
  }

  /** Bilinear: pixel (y, x) shows the place that is turned and zoomed back about the centre. */
  #turn(
    { images }: EngineData,
    image: number,
    { cosine, sine, x: dx, y: dy }: Move,
    out: Float32Array,
    at: number,
  ): void {
    const { channels, height, width } = this.#shape;
    const cy = fround((height - 1) * 0.5);
    const cx = fround((width - 1) * 0.5);
    const moveX = fround(cx + dx);
    const moveY = fround(cy + dy);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const fromX = fround(x - moveX);
        const fromY = fround(y - moveY);
        const px = fround(fusedMultiplyAdd(cosine, fromX, fround(sine * fromY)) + cx);
        const py = fround(fusedMultiplyAdd(cosine, fromY, fround(-sine * fromX)) + cy);
        const sx = Math.max(-1, Math.min(width, px));
        const sy = Math.max(-1, Math.min(height, py));
        // the integer part of a sum that float32 has rounded, as the kernel takes it
        const left = Math.trunc(fround(sx + 1)) - 1;
        const top = Math.trunc(fround(sy + 1)) - 1;
        const right = fround(sx - left);
        const down = fround(sy - top);
        for (let c = 0; c < channels; c++) {
          const plane = (image * channels + c) * height * width;
          const value = this.#blend(images, plane, top, left, right, down);
          out[((at * height + y) * width + x) * channels + c] = this.#normalize(value, c);
        }
      }
    }
  }

  #blend(images: Uint8Array, plane: number, top: number, left: number, right: number, down: number): number {
    const q00 = this.#pixel(images, plane, top, left);
    const q01 = this.#pixel(images, plane, top, left + 1);
    const q10 = this.#pixel(images, plane, top + 1, left);
    const q11 = this.#pixel(images, plane, top + 1, left + 1);
    const upper = fusedMultiplyAdd(right, q01 - q00, q00);
    const lower = fusedMultiplyAdd(right, q11 - q10, q10);
    return fusedMultiplyAdd(down, fround(lower - upper), upper);
  }

  #pixel(images: Uint8Array, plane: number, row: number, column: number): number {
    const { height, width } = this.#shape;
    if (row < 0 || row >= height || column < 0 || column >= width) return 0;
    return images[plane + row * width + column] as number;
  }
}

/** Sine and cosine of an angle in degrees, |angle| <= 180: the steps of the kernels' sineCosine (native/elementary.h). */
function sineCosine(degrees: number): { readonly sine: number; readonly cosine: number } {
  const quarter = Math.trunc(degrees / 90 + (degrees < 0 ? -0.5 : 0.5));
  const r = (degrees - 90 * quarter) * 0.017453292519943295;
  const q = r * r;
  let s = 0;
  let c = 0;
  for (let k = 19; k >= 3; k -= 2) s = (-(1 + s) * q) / (k * (k - 1));
  for (let k = 18; k >= 2; k -= 2) c = (-(1 + c) * q) / (k * (k - 1));
  s = r * (1 + s);
  c = 1 + c;
  const turns = [
    { sine: s, cosine: c },
    { sine: c, cosine: -s },
    { sine: -s, cosine: -c },
    { sine: -c, cosine: s },
  ] as const;
  return turns[(quarter & 3) as 0 | 1 | 2 | 3];
}
