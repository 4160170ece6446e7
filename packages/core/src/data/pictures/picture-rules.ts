/**
 * What files of images leave open: what shows through transparent parts, which value is white in 16 bits, and how a row of
 * numbers is an image. It is decided once, over the training images, kept with the model, and holds for all that come later.
 */
import { z } from 'zod';
import { guessed, type Note } from '../../events/data-report.js';
import { countOf, formatCount } from '../../text/count-text.js';
import { type RawImage, WHITE_16 } from './formats/raw-image.js';
import { pixelFormSchema } from './pixel-form.js';

export const pictureRulesSchema = z.object({
  /** What transparent parts lie on, 0 (black) to 255 (white); only where training pictures had such. */
  under: z.int().min(0).max(255).optional(),
  /** The value of 16-bit pictures that stands for white; only where training pictures had 16 bits. */
  white16: z.int().min(1).max(WHITE_16).optional(),
  /** How a row of a table or array is an image; only where training images came in rows of colours, or of no square. */
  rows: pixelFormSchema.optional(),
});

export type PictureRules = z.output<typeof pictureRulesSchema>;

/** How light what is drawn is, where transparent parts are all around it: weighted by how much it covers. */
export class DrawnLight {
  #light = 0;
  #weight = 0;

  /** @param raw with alpha as its last channel */
  add({ channels, pixels }: RawImage): void {
    for (let at = 0; at < pixels.length; at += channels) {
      const alpha = pixels[at + channels - 1] as number;
      for (let c = 0; c < channels - 1; c++) this.#light += (alpha * (pixels[at + c] as number)) / (channels - 1);
      this.#weight += alpha;
    }
  }

  /** The ground on which it shows: 0 below light drawings, else 255. */
  get ground(): number {
    return this.#weight > 0 && this.#light / this.#weight > 127.5 ? 0 : 255;
  }
}

/** Looks at training pictures, one after the other, and decides. */
export class RuleFinder {
  readonly #drawn = new DrawnLight();
  #transparent = 0;
  #sixteen = 0;
  #largest16 = 0;
  #turned = 0;
  #cmyk = 0;
  #several = 0;

  add(raw: RawImage, isTransparent: boolean): void {
    if (isTransparent) {
      this.#transparent++;
      this.#drawn.add(raw);
    }
    if (raw.isTurned) this.#turned++;
    if (raw.isCmyk) this.#cmyk++;
    if (raw.frames !== undefined) this.#several++;
    if (raw.largest16 === undefined) return;
    this.#sixteen++;
    this.#largest16 = Math.max(this.#largest16, raw.largest16);
  }

  decide(): PictureRules {
    // cameras and scanners give 10, 12 or 14 bits
    const isLow = this.#largest16 > 0 && this.#largest16 <= WHITE_16 / 2;
    return {
      ...(this.#transparent > 0 && { under: this.#drawn.ground }),
      ...(this.#sixteen > 0 && { white16: isLow ? this.#largest16 : WHITE_16 }),
    };
  }

  /** For people. */
  describe({ under, white16 }: PictureRules): Note[] {
    const ground = under === 0 ? 'black' : under === 255 ? 'white' : `grey ${under}`;
    const say = (count: number, text: string): Note[] =>
      count === 0 ? [] : [guessed(`${countOf(count, 'training image')} ${text}`)];
    const scaled = white16 === undefined || white16 === WHITE_16 ? 0 : this.#sixteen;
    return [
      ...say(this.#turned, 'turned upright, as the EXIF orientation in the file says'),
      ...say(this.#several, 'with several pictures in the file: the first of them is used'),
      ...say(this.#cmyk, 'in CMYK: made RGB without a colour profile'),
      ...say(this.#transparent, `with transparent parts: these were laid on ${ground}`),
      ...say(scaled, `of 16 bits: ${formatCount(white16 ?? WHITE_16)}, their largest value, is taken for white`),
    ];
  }
}
