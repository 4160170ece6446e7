/**
 * How a model reads pixels: mean and std, the ground that drawings lie on, and the value that stands for white. They
 * belong to a model from its training on; this is the one place where they are applied to images that come later.
 */

import { z } from 'zod';
import { LockstepError } from '../../errors/errors.js';
import { guessed, type Note, warned } from '../../events/data-report.js';
import { countOf } from '../../text/count-text.js';
import { createDataset, type Dataset, type Ground, grounds, type Split, withNotes } from '../dataset/dataset.js';
import { measureBorder, measureWhite } from '../dataset/normalization.js';

/** White in a picture. */
export const FULL_WHITE = 255;
/** Whites further apart than this are of two scales; a set's largest value may always be a little below its white. */
const SAME_SCALE = 2;
/** Mean of the edges below which a ground is dark, above which it is light. */
const DARK = 0.3;
const LIGHT = 0.7;

const MEAN = 'must be fractions from 0 to 1, such as 0.1307';
const STD = 'must be fractions above 0 and up to 1, such as 0.3081';
const WHITE = 'must be a whole number from 1 to 255';

/** What a person may say about pixels. */
export const pixelChoiceSchema = z.strictObject({
  /** Pixel value v becomes (v/255 - mean)/std; one number per channel, or one for all. */
  mean: z.array(z.number(MEAN).min(0, MEAN).max(1, MEAN)).min(1, MEAN).optional(),
  std: z.array(z.number(STD).gt(0, STD).max(1, STD)).min(1, STD).optional(),
  /** What drawings lie on; `mixed` where that cannot be said. */
  ground: z.enum(grounds, `must be one of ${grounds.join(', ')}`).optional(),
  /** The pixel value that stands for white. */
  white: z.int(WHITE).min(1, WHITE).max(FULL_WHITE, WHITE).optional(),
});

export type PixelChoice = z.input<typeof pixelChoiceSchema>;

/**
 * Mean and std are said together or not at all: the other half, measured or taken from a file, would be of other pixels.
 *
 * @param nameOf how a person writes them
 * @returns what is wrong: `--mean needs --std as well, ...`
 */
export function findLoneHalf(
  { mean, std }: { readonly mean?: unknown; readonly std?: unknown },
  nameOf = (name: 'mean' | 'std'): string => name,
): string | undefined {
  if ((mean === undefined) === (std === undefined)) return undefined;
  const [said, other] = mean === undefined ? (['std', 'mean'] as const) : (['mean', 'std'] as const);
  return `${nameOf(said)} needs ${nameOf(other)} as well: pixels are normalized by both`;
}

/** How a model reads pixels, as its notes have it. */
export interface PixelNotes {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Mean of the pixels along the training images' edges, as a fraction of white. */
  readonly border: number;
  /** Default: 255. */
  readonly white?: number | undefined;
}

export const groundOf = ({ border }: Pick<PixelNotes, 'border'>): Ground =>
  border < DARK ? 'dark' : border > LIGHT ? 'light' : 'mixed';

/** The mean of the edges that stands for a ground which was said, not measured. */
export const borderOf = (ground: Ground): number => ({ dark: 0, mixed: 0.5, light: 1 })[ground];

export const whiteOf = ({ white = FULL_WHITE }: Pick<PixelNotes, 'white'>): number => white;

/**
 * Mean and std to apply to pixels whose white is `white`, so that they reach the network as the training images did.
 * Where both whites are the same these are the model's own, to the bit.
 */
export function normalizationFor(notes: Pick<PixelNotes, 'mean' | 'std' | 'white'>, white: number) {
  const scale = whiteOf(notes) / white;
  const toScale = (values: readonly number[]): number[] => values.map((value) => value / scale);
  return { mean: toScale(notes.mean), std: toScale(notes.std) };
}

/**
 * What is said of pixels, for a number of channels: one number becomes one per channel.
 *
 * @throws LockstepError LOCKSTEP_DATA_PIXELS when a value is out of range, there is another number of them, or mean or std
 *   stands alone
 */
export function fitChoice(choice: PixelChoice, channels: number) {
  const result = pixelChoiceSchema.safeParse(choice);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw pixelsError(`${String(issue?.path[0] ?? 'pixels')} ${issue?.message}`);
  }
  const lone = findLoneHalf(choice);
  if (lone !== undefined) throw pixelsError(lone);
  const fit = (name: 'mean' | 'std', values: readonly number[]): readonly number[] => {
    if (values.length === 1) return new Array<number>(channels).fill(values[0] as number);
    if (values.length === channels) return values;
    throw pixelsError(
      `${name} has ${countOf(values.length, 'number')}, the images have ${countOf(channels, 'channel')}`,
    );
  };
  const { mean, std, ground, white } = choice;
  return {
    ...(mean && { mean: fit('mean', mean) }),
    ...(std && { std: fit('std', std) }),
    ...(ground && { ground }),
    ...(white !== undefined && { white }),
  };
}

const pixelsError = (text: string): LockstepError =>
  new LockstepError('LOCKSTEP_DATA_PIXELS', `${text}. Give one number per channel, or one for all.`);

/** A model's notes with what is said instead of them. */
export function chooseNotes<Notes extends PixelNotes>(notes: Notes, choice: PixelChoice): Notes {
  const { ground, ...said } = fitChoice(choice, notes.mean.length);
  return { ...notes, ...said, ...(ground && { border: borderOf(ground) }) };
}

/** `mean 0.1307, std 0.3081, dark ground, white 255`. */
export function describePixels(notes: PixelNotes): string {
  return `${describeNormalization(notes)}, ${groundOf(notes)} ground, white ${whiteOf(notes)}`;
}

/** `mean 0.1307, std 0.3081`; equal channels are named once. */
export function describeNormalization({ mean, std }: Pick<PixelNotes, 'mean' | 'std'>): string {
  const list = (values: readonly number[]): string => {
    const texts = values.map((value) => String(Number(value.toPrecision(4))));
    return (new Set(texts).size === 1 ? texts.slice(0, 1) : texts).join(',');
  };
  return `mean ${list(mean)}, std ${list(std)}`;
}

/** A dataset in the pixels of a model, and what was done to it, for people. */
export interface FittedDataset {
  readonly dataset: Dataset;
  readonly changes: readonly string[];
}

/** The model's mean and std on a dataset whose white may be another; a dataset that does not say its white is measured. */
function normalizeLike(dataset: Dataset, notes: PixelNotes): FittedDataset {
  const own = dataset.white ?? measureWhite(dataset.train);
  const ratio = own / whiteOf(notes);
  const isSameScale = dataset.white === undefined && ratio <= SAME_SCALE && ratio >= 1 / SAME_SCALE;
  const white = isSameScale ? whiteOf(notes) : own;
  const changes =
    white === whiteOf(notes) ? [] : [`scaled from white ${white} to the ${whiteOf(notes)} of the training images`];
  return { dataset: { ...dataset, ...normalizationFor(notes, white), white }, changes };
}

/**
 * Brings a dataset to the form in which a model reads pixels: its mean and std, its white, and grey images of the other
 * ground inverted, as `fitImage` does with one image.
 */
export function fitDataset(dataset: Dataset, notes: PixelNotes): FittedDataset {
  const { dataset: scaled, changes } = normalizeLike(dataset, notes);
  if (!isOnOtherGround(scaled, scaled.white as number, notes)) return { dataset: scaled, changes };
  const text = `inverted, since the training images have a ${groundOf(notes)} ground`;
  return { dataset: invertDataset(scaled, scaled.white as number), changes: [...changes, text] };
}

/** Whether grey images lie on a dark ground where a model reads a light one, or the other way round. */
function isOnOtherGround(dataset: Dataset, white: number, notes: PixelNotes): boolean {
  if (dataset.channels !== 1) return false;
  const both = [groundOf({ border: measureBorder(dataset, white) }), groundOf(notes)];
  return both.includes('dark') && both.includes('light');
}

/** What a run keeps of how its pixels are read: mean and std as they are applied, and what was said of the rest. */
export const datasetPixelsSchema = z.object({
  mean: z.array(z.number()),
  std: z.array(z.number()),
  ground: z.enum(grounds).optional(),
  white: z.int().min(1).max(FULL_WHITE).optional(),
});

export type DatasetPixels = z.output<typeof datasetPixelsSchema>;

export const pixelsOf = ({ mean, std, ground, white }: Dataset): DatasetPixels => ({
  mean: [...mean],
  std: [...std],
  ...(ground && { ground }),
  ...(white !== undefined && { white }),
});

/** Where a run takes over how its pixels are read. */
export interface PixelSource {
  /** Of the run that goes on. */
  readonly resumed?: DatasetPixels | undefined;
  /** Notes of the weights that the run starts from. */
  readonly weights?: PixelNotes | undefined;
}

/**
 * A dataset to train on, with the pixels of the run or the weights before it, and what is said of them; with a note where
 * that is not what the data itself would give.
 *
 * @throws LockstepError LOCKSTEP_DATA_PIXELS
 */
export function takePixels(dataset: Dataset, { resumed, weights }: PixelSource, choice: PixelChoice): Dataset {
  const said = fitChoice(choice, dataset.channels);
  const notes: Note[] = [];
  let taken: Dataset = { ...dataset, ...(said.white !== undefined && { white: said.white }) };
  if (resumed !== undefined) taken = { ...taken, ...resumed };
  else if (weights !== undefined) {
    const { mean, std } = normalizeLike(taken, weights).dataset;
    taken = { ...taken, mean, std };
    const [own, theirs] = [dataset, taken].map(describeNormalization);
    if (own !== theirs && said.mean === undefined) {
      notes.push(guessed(`pixels are normalized as for the weights, ${theirs}; the data itself would give ${own}`));
    }
  }
  taken = { ...taken, ...said };
  const white = taken.white ?? measureWhite(taken.train);
  if (resumed === undefined && weights && !said.ground && isOnOtherGround(taken, white, weights)) {
    notes.push(
      warned(
        `the weights were trained on a ${groundOf(weights)} ground, these images lie on the other and are not inverted: the weights fit them only after training. Invert the images, and they fit from the first step`,
      ),
    );
  }
  if (taken.white === undefined && white !== FULL_WHITE) {
    notes.push(guessed(`the largest pixel of the training images is ${white}, and taken for white`, '--white'));
  }
  return withNotes(taken, notes);
}

function invertDataset(dataset: Dataset, white: number): Dataset {
  const invert = ({ images, ...split }: Split): Split => {
    const inverted = new Uint8Array(new SharedArrayBuffer(images.length));
    for (let i = 0; i < images.length; i++) inverted[i] = Math.max(0, white - (images[i] as number));
    return { ...split, images: inverted };
  };
  const { checksum: _, train, validation, test, ...parts } = dataset;
  return createDataset({ ...parts, train: invert(train), validation: invert(validation), test: invert(test) });
}
