/** The flags that say how a model reads pixels, for weights that do not say it and for data that is to be read otherwise. */
import { findLoneHalf, grounds, type PixelChoice, pixelChoiceSchema } from '@lockstep/core/data';
import { type Check, type Field, fieldsIn, optionError } from './field.js';

const check =
  (name: keyof PixelChoice): Check =>
  (value) =>
    pixelChoiceSchema.shape[name].safeParse(asGiven(name, value)).error?.issues[0]?.message;

/** In a config file one number may stand without a list. */
const asGiven = (name: keyof PixelChoice, value: unknown): unknown =>
  (name === 'mean' || name === 'std') && typeof value === 'number' ? [value] : value;

const data = fieldsIn('Data');

export const pixelFields: readonly Field[] = [
  data.numbers(
    '--mean <list>',
    'mean',
    'mean of the pixels as fractions of 255, one per channel or one for all; with --std',
    {
      check: check('mean'),
    },
  ),
  data.numbers('--std <list>', 'std', 'their standard deviation, likewise', { check: check('std') }),
  data.text('--ground <kind>', 'ground', `what drawings lie on: ${grounds.join(', ')}`, { check: check('ground') }),
  data.number('--white <n>', 'white', 'the pixel value that stands for white in the training images', {
    check: check('white'),
  }),
];

/**
 * @param get the checked value of a field, by name
 * @throws LockstepError LOCKSTEP_CLI_OPTION for a mean without a std, or the other way round
 */
export function readPixels(get: (name: string) => unknown): PixelChoice {
  const lone = findLoneHalf({ mean: get('mean'), std: get('std') }, (name) => `--${name}`);
  if (lone !== undefined) throw optionError(lone);
  const names = Object.keys(pixelChoiceSchema.shape) as (keyof PixelChoice)[];
  const said = names.filter((name) => get(name) !== undefined).map((name) => [name, asGiven(name, get(name))]);
  return Object.fromEntries(said) as PixelChoice;
}
