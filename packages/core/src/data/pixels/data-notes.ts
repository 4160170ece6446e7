/** What a weights file says about the data that its model was trained on, so that later data can be brought to the same form. */

import { z } from 'zod';
import { LockstepError } from '../../errors/errors.js';
import { parseJson } from '../../files/json-text.js';
import type { ModelSpec } from '../../spec/model-spec.js';
import { countOf } from '../../text/count-text.js';
import { areNames } from '../dataset/class-names.js';
import type { Dataset } from '../dataset/dataset.js';
import { MNIST_MEAN, MNIST_STD, measureBorder, measureWhite } from '../dataset/normalization.js';
import { pictureRulesSchema } from '../pictures/picture-rules.js';
import { measureInk } from './ink.js';
import { borderOf, FULL_WHITE } from './pixels.js';

/** Key of the notes, as JSON, in the weights file's `__metadata__`. */
export const DATA_KEY = 'lockstep.data';

const perChannel = z.array(z.number()).min(1);

const dataNotesSchema = z.object({
  /** Pixel value v becomes (v/255 - mean)/std; one pair per channel. */
  mean: perChannel,
  std: perChannel,
  /** One per class. */
  classNames: z.array(z.string()),
  /** Mean of the pixels along the training images' edges, as a fraction of white, 0 to 1: dark or light ground. */
  border: z.number(),
  /** The training images' pixel value that stands for white, 1 to 255; left out: 255. */
  white: z.int().min(1).max(FULL_WHITE).optional(),
  /** Share of the image's sides that the ink takes, if the images are centred drawings as MNIST's are; 0 says no ink. */
  ink: z.number().min(0).max(1).optional(),
  /** Images that were held out as test set, where the data has none of its own. */
  heldOut: z.int().min(0).optional(),
  /** Whether the images were brought to the model's size; later ones are too then. */
  isResized: z.boolean().optional(),
  /** What the training images were laid on, their white, and how rows were images, where that was open. */
  pictures: pictureRulesSchema.optional(),
  /** The dataset's; not in what was saved by earlier versions. */
  name: z.string().optional(),
});

export type DataNotes = z.output<typeof dataNotesSchema>;

/** MNIST's digits fill 20 of 28 pixels. */
const MNIST_INK = 20 / 28;

/** What to keep about a dataset. */
export function describeData(dataset: Dataset): DataNotes {
  const { mean, std, classNames, heldOut, isResized, pictures, name } = dataset;
  const white = dataset.white ?? measureWhite(dataset.train);
  const border = dataset.ground === undefined ? measureBorder(dataset, white) : borderOf(dataset.ground);
  const ink = measureInk(dataset, border, white);
  return {
    mean: [...mean],
    std: [...std],
    classNames: classNames === undefined ? numberClasses(dataset.classes) : [...classNames],
    border,
    ...(white === FULL_WHITE ? {} : { white }),
    ...(ink === undefined ? {} : { ink }),
    ...(heldOut === undefined ? {} : { heldOut }),
    ...(isResized ? { isResized } : {}),
    ...(pictures && { pictures }),
    name,
  };
}

/** What is assumed of weights that carry no notes, such as PyTorch's: data like MNIST. */
export function assumeData({ input, classes }: ModelSpec): DataNotes {
  return {
    mean: new Array<number>(input.channels).fill(MNIST_MEAN),
    std: new Array<number>(input.channels).fill(MNIST_STD),
    classNames: numberClasses(classes),
    border: 0,
    ...(input.channels === 1 ? { ink: MNIST_INK } : {}),
  };
}

/** The names of a model's classes, where it has them: data is read by them. */
export const namesOf = (notes: Pick<DataNotes, 'classNames'> | undefined): readonly string[] | undefined =>
  notes !== undefined && areNames(notes.classNames) ? notes.classNames : undefined;

const numberClasses = (classes: number): string[] => Array.from({ length: classes }, (_, index) => String(index));

/**
 * Reads notes from a file's metadata; undefined when there are none.
 *
 * @throws LockstepError LOCKSTEP_WEIGHTS_DATA when they are damaged or do not fit the model
 */
export function parseDataNotes(text: string | undefined, model: ModelSpec, source: string): DataNotes | undefined {
  if (text === undefined) return undefined;
  const parsed = parseJson(text);
  const result = 'fault' in parsed ? undefined : dataNotesSchema.safeParse(parsed.value);
  const notes = result?.success ? result.data : undefined;
  const { channels } = model.input;
  if (notes?.mean.length === channels && notes.std.length === channels && notes.classNames.length <= model.classes) {
    const { ink, ...rest } = notes;
    const names = nameAll(notes.classNames, model.classes);
    // files of before say 0 for images without ink, which are no drawings
    return { ...rest, ...(ink !== undefined && ink > 0 && { ink }), classNames: names };
  }
  throw new LockstepError(
    'LOCKSTEP_WEIGHTS_DATA',
    `${source}: ${DATA_KEY} does not describe data for ${countOf(channels, 'channel')} and ${countOf(model.classes, 'class', 'classes')}. Save the weights again with lockstep.`,
  );
}

/** A model may have more classes than its data: the others go by their numbers. */
const nameAll = (names: readonly string[], classes: number): string[] =>
  numberClasses(classes).map((number, index) => names[index] ?? number);
