/** How the numbers of one image lie in an array or a row of a table: its size, and where its colours are. */

import { z } from 'zod';
import { guessed, type Note, warned } from '../../events/data-report.js';
import { countOf } from '../../text/count-text.js';
import { fixed } from '../../text/number-text.js';

export const pixelLayouts = ['hwc', 'chw'] as const;
/** `hwc`: [row][column][colour]; `chw`: plane by plane, [colour][row][column]. */
export type PixelLayout = (typeof pixelLayouts)[number];

const side = z.int().min(1);

export const pixelFormSchema = z.object({ channels: side, height: side, width: side, layout: z.enum(pixelLayouts) });

export type PixelForm = Readonly<z.output<typeof pixelFormSchema>>;

/** The flag that says another size of rows. */
export const SHAPE_FLAG = '--csv-shape';
/** The flag that says where colours are. */
export const LAYOUT_FLAG = '--csv-layout';
/** The order is guessed only where neighbours differ by more than this many times less in one than in the other. */
const CLEARLY = 2;
/** Images that are looked at. */
export const LOOKED_AT = 200;

/** A square, or three of them, of so many numbers. */
function guessSize(pixels: number) {
  for (const channels of [1, 3]) {
    const side = Math.round(Math.sqrt(pixels / channels));
    if (side > 0 && side * side * channels === pixels) return { channels, height: side, width: side };
  }
  return undefined;
}

/** What a model keeps of the rows that it was trained on: undefined where later ones of as many numbers can only be read alike. */
export function keepRows(form: PixelForm): PixelForm | undefined {
  const usual = guessSize(countPixels(form));
  return form.channels === 1 && usual !== undefined && isSameSize(form, usual) ? undefined : form;
}

/** The size of rows of so many numbers: as in the training images, where these had as many, else as it is guessed. */
export const sizeOfRows = (pixels: number, rows: PixelForm | undefined) =>
  rows !== undefined && countPixels(rows) === pixels ? rows : guessSize(pixels);

const isSameSize = (a: Omit<PixelForm, 'layout'>, b: Omit<PixelForm, 'layout'>): boolean =>
  describeForm(a) === describeForm(b);

/** What stands after a number of pixels that make no square. */
export const NO_SQUARE = `which is neither a square nor three squares. Give ${SHAPE_FLAG}, such as ${SHAPE_FLAG} 1x28x28`;

/** Of two forms of the same numbers the one in which neighbours are alike, by the first images. */
export class LayoutGuess {
  #images = 0;
  readonly #sums: [number, number] = [0, 0];

  constructor(private readonly forms: readonly [PixelForm, PixelForm]) {}

  add(numbers: ArrayLike<number>): void {
    if (this.#images++ >= LOOKED_AT) return;
    this.forms.forEach((form, index) => {
      this.#sums[index as 0 | 1] += differAtNeighbours(numbers, form);
    });
  }

  /** The better form, and by how much; undefined where neither is clearly better. */
  decide(): { readonly form: PixelForm; readonly times: number } | undefined {
    const [first, second] = this.#sums;
    if (second > CLEARLY * first) return { form: this.forms[0], times: second / first };
    if (first > CLEARLY * second) return { form: this.forms[1], times: first / second };
    return undefined;
  }
}

/** Mean difference between pixels side by side and one above the other, of the same colour. */
function differAtNeighbours(numbers: ArrayLike<number>, { channels, height, width, layout }: PixelForm): number {
  const [row, column, colour] = layout === 'hwc' ? [width * channels, channels, 1] : [width, 1, height * width];
  let [sum, pairs] = [0, 0];
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = c * colour + y * row + x * column;
        const own = numbers[at] as number;
        if (x > 0) sum += Math.abs(own - (numbers[at - column] as number));
        if (y > 0) sum += Math.abs(own - (numbers[at - row] as number));
        pairs += (x > 0 ? 1 : 0) + (y > 0 ? 1 : 0);
      }
    }
  }
  return pairs === 0 ? 0 : sum / pairs;
}

/** For people: `the colours of x.csv are taken as [row][column][colour], ...`. */
export function noteLayout(source: string, layout: PixelLayout, found: { readonly times: number } | undefined): Note {
  const why = found === undefined ? 'as is usual' : `since neighbours differ ${describeTimes(found)} times less so`;
  return guessed(`the colours of ${source} are taken as ${ORDERS[layout]}, ${why}`, LAYOUT_FLAG);
}

/** Where the training images have decided the order, but the pixels of a file clearly look like the other one. */
export function noteOtherLayout(
  source: string,
  decided: PixelLayout,
  found: ReturnType<LayoutGuess['decide']>,
): Note[] {
  const own = found?.form.layout;
  if (own === undefined || own === decided) return [];
  const text = `the colours of ${source} are taken as ${ORDERS[decided]}, as in the training images, but neighbours differ ${describeTimes(found)} times less as ${ORDERS[own]}`;
  return [{ ...warned(text), flag: LAYOUT_FLAG }];
}

/** Where the training images have decided a size of rows that would not be guessed. */
export function noteSize(source: string, size: Omit<PixelForm, 'layout'>, pixels: number): Note[] {
  const usual = guessSize(pixels);
  if (usual !== undefined && isSameSize(size, usual)) return [];
  return [guessed(`rows of ${source} are images of ${describeForm(size)}, as in the training images`, SHAPE_FLAG)];
}

const ORDERS: Readonly<Record<PixelLayout, string>> = { hwc: '[row][column][colour]', chw: '[colour][row][column]' };

const describeTimes = ({ times }: { readonly times: number } = { times: 1 }): string =>
  times > 1000 ? 'over 1000' : fixed(times, 1);

/** One image's bytes, plane by plane. */
export function toPlanes(pixels: Uint8Array, { channels, height, width, layout }: PixelForm): Uint8Array {
  if (layout === 'chw' || channels === 1) return pixels;
  const plane = height * width;
  const planar = new Uint8Array(pixels.length);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < channels; c++) planar[c * plane + i] = pixels[i * channels + c] as number;
  return planar;
}

/** `3x32x32`. */
export const describeForm = ({ channels, height, width }: Omit<PixelForm, 'layout'>): string =>
  `${channels}x${height}x${width}`;

/** Numbers of an image. */
export const countPixels = ({ channels, height, width }: Omit<PixelForm, 'layout'>): number =>
  channels * height * width;

/** Why a form that was said cannot be; undefined where it fits. @param by what says it */
export function checkSaid(
  said: Omit<PixelForm, 'layout'>,
  pixels: number,
  what: string,
  by = SHAPE_FLAG,
): string | undefined {
  const taken = countPixels(said);
  return taken === pixels
    ? undefined
    : `has ${countOf(pixels, what)} of pixels, ${by} ${describeForm(said)}${by === SHAPE_FLAG ? ' takes' : ':'} ${taken}`;
}
