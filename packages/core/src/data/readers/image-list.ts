/** Collects images that must share one form, one after the other, with room for more. */
import { LockstepError } from '../../errors/errors.js';
import type { LabelledImages } from '../dataset/own-data.js';
import { type PlanarImage, withChannels } from '../pictures/planar-image.js';
import { resizeImage } from '../pixels/resize.js';

/** Height and width in pixels. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** Sides beyond this need --resize: a network for such images would not fit this trainer. */
const MAX_SIDE = 256;

export class ImageList {
  readonly #labels: string[] = [];
  #shape: { channels: number; height: number; width: number } | undefined;
  #pixels = new Uint8Array(0);
  #firstSource = '';

  /**
   * @param capacity how many images will come; more may
   * @param channels brings every image to so many, 1 or 3; default: 1 if all are grey, else 3
   */
  constructor(
    private readonly capacity: number,
    private readonly resize: ImageSize | undefined,
    private readonly channels?: number | undefined,
  ) {}

  /**
   * Appends an image. Once one has colours, all get three channels.
   *
   * @throws LockstepError LOCKSTEP_DATA_SHAPE when its size differs from the first's, or is above 256x256
   */
  add(image: PlanarImage, label: string, source: string): void {
    const coloured = this.channels === undefined ? image : withChannels(image, this.channels);
    const sized = this.resize ? resizeImage(coloured, this.resize.height, this.resize.width) : coloured;
    this.#checkSize(sized, source);
    const shape = this.#widen(sized, source);
    const bytes = shape.channels * shape.height * shape.width;
    const at = this.#labels.length * bytes;
    if (at + bytes > this.#pixels.length) this.#grow(Math.max(at + bytes, 2 * at, this.capacity * bytes));
    this.#pixels.set(withChannels(sized, shape.channels).pixels, at);
    this.#labels.push(label);
  }

  get count(): number {
    return this.#labels.length;
  }

  finish(): LabelledImages {
    const { channels, height, width } = this.#shape ?? { channels: 1, height: 0, width: 0 };
    const images = this.#pixels.subarray(0, this.count * channels * height * width);
    return { channels, height, width, images, labels: this.#labels };
  }

  #checkSize({ height, width }: PlanarImage, source: string): void {
    const first = this.#shape;
    if (height > MAX_SIDE || width > MAX_SIDE) {
      throw shapeError(
        `${source} has ${height}x${width} pixels (height x width), the limit is ${MAX_SIDE}x${MAX_SIDE}`,
      );
    }
    if (first === undefined || (first.height === height && first.width === width)) return;
    throw shapeError(
      `${source} has ${height}x${width} pixels (height x width), ${this.#firstSource} has ${first.height}x${first.width}`,
    );
  }

  /** The shape after an image like this; images so far are rewritten when it is the first one with colours. */
  #widen(image: PlanarImage, source: string) {
    const shape = this.#shape;
    if (shape !== undefined && shape.channels >= image.channels) return shape;
    const widened = { channels: image.channels, height: image.height, width: image.width };
    if (shape === undefined) this.#firstSource = source;
    else this.#rewrite(image.channels, shape.height * shape.width);
    this.#shape = widened;
    return widened;
  }

  #rewrite(channels: number, plane: number): void {
    const grey = this.#pixels;
    this.#pixels = new Uint8Array(Math.max(this.capacity, this.count) * channels * plane);
    for (let n = 0; n < this.count; n++) {
      const one = grey.subarray(n * plane, (n + 1) * plane);
      for (let c = 0; c < channels; c++) this.#pixels.set(one, (n * channels + c) * plane);
    }
  }

  #grow(bytes: number): void {
    const grown = new Uint8Array(bytes);
    grown.set(this.#pixels);
    this.#pixels = grown;
  }
}

const shapeError = (text: string): LockstepError =>
  new LockstepError(
    'LOCKSTEP_DATA_SHAPE',
    `${text}. Give --resize, such as --resize 28x28, to bring all images to one size.`,
  );
