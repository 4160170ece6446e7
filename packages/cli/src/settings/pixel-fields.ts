/** The flags that say how a model reads pixels, for weights that do not say it and for data that is to be read otherwise. */
import { grounds, type PixelChoice, pixelChoiceSchema } from '@lockstep/core/data';
import type { Check, Field } from './fields.js';

const check =
  (name: keyof PixelChoice): Check =>
  (value) =>
    pixelChoiceSchema.shape[name].safeParse(asGiven(name, value)).error?.issues[0]?.message;

/** In a config file one number may stand without a list. */
const asGiven = (name: keyof PixelChoice, value: unknown): unknown =>
  (name === 'mean' || name === 'std') && typeof value === 'number' ? [value] : value;

const field = (flags: string, name: keyof PixelChoice, kind: Field['kind'], description: string): Field => ({
  flags,
  path: [name],
  group: 'Data',
  kind,
  description,
  check: check(name),
});

export const pixelFields: readonly Field[] = [
  field('--mean <list>', 'mean', 'numbers', 'mean of the pixels as fractions of 255, one per channel or one for all'),
  field('--std <list>', 'std', 'numbers', 'their standard deviation, likewise'),
  field('--ground <kind>', 'ground', 'text', `what drawings lie on: ${grounds.join(', ')}`),
  field('--white <n>', 'white', 'number', 'the pixel value that stands for white in the training images'),
];

/** @param get the checked value of a field, by name */
export function readPixels(get: (name: string) => unknown): PixelChoice {
  const names = Object.keys(pixelChoiceSchema.shape) as (keyof PixelChoice)[];
  const said = names.filter((name) => get(name) !== undefined).map((name) => [name, asGiven(name, get(name))]);
  return Object.fromEntries(said) as PixelChoice;
}
