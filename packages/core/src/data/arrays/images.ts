/** Arrays of pixels as images: the form and the scale are decided by the training part, and hold for all parts. */
import { guessed, type Note, warned } from '../../events/data-report.js';
import { countOf, formatCount } from '../../text/count-text.js';
import type { LabelledImages } from '../dataset/own-data.js';
import { type RawImage, WHITE_16 } from '../pictures/formats/raw-image.js';
import { type PictureRules, RuleFinder } from '../pictures/picture-rules.js';
import {
  checkSaid,
  describeForm,
  keepRows,
  LAYOUT_FLAG,
  LayoutGuess,
  LOOKED_AT,
  NO_SQUARE,
  noteLayout,
  noteOtherLayout,
  type PixelForm,
  type PixelLayout,
  SHAPE_FLAG,
  sizeOfRows,
  toPlanes,
} from '../pictures/pixel-form.js';
import { isTransparent, type PlanarImage, toPlanar, withChannels } from '../pictures/planar-image.js';
import { ImageList, type ImageSize } from '../readers/image-list.js';
import type { NpyNumbers } from './npy.js';
import { arrayError, findScale, isNumbers, type NamedArray, type Scale, toBytes } from './values.js';

export interface ArrayOptions {
  readonly resize?: ImageSize | undefined;
  /** Form of the images, where it is said. */
  readonly shape?: Omit<PixelForm, 'layout'> | undefined;
  /** Where colours are, where it is said. */
  readonly layout?: PixelLayout | undefined;
  readonly pictures?: PictureRules | undefined;
}

const MAX_CHANNELS = 16;
/** Channels of pictures: grey, red green and blue, and these with alpha. */
const PICTURE_CHANNELS = [1, 3, 4];
const SCALE_TEXTS: Readonly<Record<Scale, string>> = {
  whole: 'whole numbers',
  fractions: 'fractions of 1, multiplied by 255',
  rounded: 'numbers up to 255, rounded to whole ones',
  sixteen: 'numbers of 16 bits',
};

/** Images of a training part, and then of others that go with it. */
export class ArrayImages {
  readonly notes: Note[] = [];
  #form: PixelForm | undefined;
  #scale: Scale | undefined;
  #under: number | undefined;
  #white16: number | undefined;
  /** Of rows, and of arrays whose form was said, or whose shape leaves open where colours are. */
  #rows: PixelForm | undefined;

  constructor(private readonly options: ArrayOptions) {}

  /** What transparent parts were laid on, the white of 16 bits, and how rows were images, where there were such. */
  get rules(): PictureRules | undefined {
    const [under, white16, rows] = [this.#under, this.#white16, this.#rows];
    if (under === undefined && white16 === undefined && rows === undefined) return undefined;
    return { ...(under !== undefined && { under }), ...(white16 !== undefined && { white16 }), ...(rows && { rows }) };
  }

  /**
   * @param images numbers, [count, ...]
   * @param labels one for each image
   */
  read(images: NamedArray, labels: readonly string[]): LabelledImages {
    const { shape, values } = images.array;
    const [count = 0] = shape;
    if (count === 0) throw arrayError(`${images.source} has no images.`);
    if (!isNumbers(values)) throw arrayError(`${images.source} has texts, expected numbers for pixels.`);
    const form = this.#findForm(images, values);
    const scale = this.#takeScale(images, values);
    if (scale === 'sixteen') this.#white16 ??= this.#findWhite(images.source, values);
    const pixels = toBytes(values, scale, this.#white16 ?? WHITE_16);
    const toImage = this.#hasAlpha(form) ? this.#layOnGround(images.source, pixels, form) : planesOf(form);
    const bytes = form.channels * form.height * form.width;
    const list = new ImageList(count, this.options.resize);
    labels.forEach((label, index) => {
      const image = toImage(pixels.subarray(index * bytes, (index + 1) * bytes));
      list.add(image, label, `image ${index} of ${images.source}`);
    });
    return list.finish();
  }

  #takeScale(images: NamedArray, values: NpyNumbers): Scale {
    const scale = findScale(images, values, this.#scale);
    if (this.#scale !== undefined && scale !== this.#scale) {
      const [own, others] = [SCALE_TEXTS[scale], SCALE_TEXTS[this.#scale]];
      this.notes.push(warned(`${images.source} is read as ${own}, the training images as ${others}`));
    } else if (scale === 'rounded' && this.#scale === undefined) {
      this.notes.push(guessed(`${images.source} is read as ${SCALE_TEXTS.rounded}`));
    }
    this.#scale ??= scale;
    return scale;
  }

  /** The white of 16 bits: their largest value, where that is far below what they can hold. */
  #findWhite(source: string, values: NpyNumbers): number {
    const largest = (values as Uint16Array).reduce((most, value) => Math.max(most, value), 0);
    const found = largest <= WHITE_16 / 2 ? largest : WHITE_16;
    const white = this.options.pictures?.white16 ?? found;
    if (white !== WHITE_16) {
      const which = this.options.pictures?.white16 === undefined ? 'their largest value' : 'as for the model';
      this.notes.push(guessed(`${source} has 16 bits: ${formatCount(white)}, ${which}, is taken for white`));
    }
    return white;
  }

  /** The form of these images; where the training part has left a choice, as there. */
  #findForm({ array, source }: NamedArray, values: NpyNumbers): PixelForm {
    const [first, second] = listForms(array.shape, this.options, source);
    const form = second === undefined ? first : this.#chooseForm(source, [first, second], values);
    if (this.#form !== undefined) return form;
    this.#form = form;
    const isRows = array.shape.length === 2;
    const isSaid = this.options.shape !== undefined || this.options.layout !== undefined;
    this.#rows = isRows || second !== undefined || isSaid ? keepRows(form) : undefined;
    if (isRows) this.notes.push(guessed(`rows of ${source} are images of ${describeForm(form)}`, SHAPE_FLAG));
    return form;
  }

  #chooseForm(source: string, forms: readonly [PixelForm, PixelForm], values: NpyNumbers): PixelForm {
    const [usual] = forms;
    const guess = new LayoutGuess(forms);
    const size = usual.channels * usual.height * usual.width;
    const images = Math.min(LOOKED_AT, values.length / size);
    for (let n = 0; n < images; n++) guess.add(values.subarray(n * size, (n + 1) * size));
    const found = guess.decide();
    const decided = forms.find(({ layout }) => layout === (this.#form ?? this.options.pictures?.rows)?.layout);
    if (decided === undefined) {
      const form = found?.form ?? usual;
      this.notes.push(noteLayout(source, form.layout, found));
      return form;
    }
    this.notes.push(...noteOtherLayout(source, decided.layout, found));
    return decided;
  }

  /** Four colours in rows of pixels are red, green, blue and alpha, unless a form of four channels was asked for. */
  #hasAlpha({ channels, layout }: PixelForm): boolean {
    const { shape, pictures } = this.options;
    return channels === 4 && layout === 'hwc' && shape === undefined && pictures?.rows?.channels !== 4;
  }

  #layOnGround(source: string, pixels: Uint8Array, { height, width }: PixelForm): (own: Uint8Array) => PlanarImage {
    const toRaw = (own: Uint8Array): RawImage => ({ channels: 4, height, width, pixels: own });
    if (this.#under === undefined) {
      const finder = new RuleFinder();
      const bytes = 4 * height * width;
      for (let at = 0; at < pixels.length; at += bytes) {
        const raw = toRaw(pixels.subarray(at, at + bytes));
        finder.add(raw, isTransparent(raw));
      }
      this.#under = this.options.pictures?.under ?? finder.decide().under ?? 255;
      const told = finder.describe({ under: this.#under });
      const what = told[0]?.text ?? 'nothing is transparent';
      this.notes.push(
        guessed(`the fourth channel of ${source} is taken for alpha: ${what}`, `${SHAPE_FLAG} 4x${height}x${width}`),
      );
    }
    const under = this.#under;
    return (own) => withChannels(toPlanar(toRaw(own), under), 3);
  }
}

const planesOf =
  (form: PixelForm) =>
  (own: Uint8Array): PlanarImage => {
    const { channels, height, width } = form;
    return { channels, height, width, pixels: toPlanes(own, form) };
  };

/**
 * The forms that images of a shape may have, the usual one first: one, or two that differ in where colours are.
 *
 * @throws LockstepError LOCKSTEP_DATA_NPZ where there is none, or not the one that was asked for
 */
function listForms(shape: readonly number[], options: ArrayOptions, source: string): [PixelForm, PixelForm?] {
  const { shape: said, layout, pictures } = options;
  const [, ...sides] = shape;
  const pixels = sides.reduce((product, side) => product * side, 1);
  const wrong = said && checkSaid(said, pixels, 'number');
  if (wrong !== undefined) throw arrayError(`${source} ${wrong}.`);
  if (sides.length === 1) {
    const size = said ?? sizeOfRows(pixels, pictures?.rows);
    if (size === undefined) throw arrayError(`${source} has rows of ${countOf(pixels, 'number')}, ${NO_SQUARE}.`);
    const { channels, height, width } = size;
    if (layout !== undefined) return [{ channels, height, width, layout }];
    if (channels === 1) return [{ channels, height, width, layout: 'chw' }];
    return [
      { channels, height, width, layout: 'chw' },
      { channels, height, width, layout: 'hwc' },
    ];
  }
  const forms = (sides.length === 2 || sides.length === 3 ? formsOf(sides) : []).filter(
    (form) =>
      form.channels <= MAX_CHANNELS &&
      (layout === undefined || form.channels === 1 || form.layout === layout) &&
      (said === undefined || describeForm(said) === describeForm(form)),
  );
  const [first, second] = forms;
  if (first !== undefined) return second === undefined || isClear(first, second) ? [first] : [first, second];
  const wanted = said === undefined ? '' : ` with ${SHAPE_FLAG} ${describeForm(said)}`;
  const order = layout === undefined ? '' : ` and ${LAYOUT_FLAG} ${layout}`;
  throw arrayError(
    `${source} has the shape (${shape.join(', ')}), expected (count, height, width), or 1 to ${MAX_CHANNELS} channels beside them${wanted}${order}.`,
  );
}

/** The likelier one first: a square, then a usual number of channels, then colours behind. */
function formsOf([a = 0, b = 0, c]: readonly number[]): PixelForm[] {
  if (c === undefined) return [{ channels: 1, height: a, width: b, layout: 'chw' }];
  const forms: PixelForm[] = [
    { channels: c, height: a, width: b, layout: 'hwc' },
    { channels: a, height: b, width: c, layout: 'chw' },
  ];
  return forms.sort((one, other) => likelihood(other) - likelihood(one));
}

const likelihood = ({ channels, height, width }: PixelForm): number =>
  (height === width ? 2 : 0) + (PICTURE_CHANNELS.includes(channels) ? 1 : 0);

const isClear = (first: PixelForm, second: PixelForm): boolean => likelihood(first) > likelihood(second);
