/** Names of classes: a model that has them reads data by them, whatever the order there. */
import { LockstepError } from '../../errors/errors.js';
import { type Note, warned } from '../../events/data-report.js';
import { countOf, nounOf } from '../../text/count-text.js';
import { createDataset, type Dataset, type Split } from './dataset.js';

const SHOWN = 5;

/** `a, b, c, d, e, ...`. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(', ');
  return names.length > SHOWN ? `${shown}, ...` : shown;
}

/** Whether the names say more than 0, 1, 2, ... do, which are what classes without names go by. */
export const areNames = (names: readonly string[]): boolean => names.some((name, index) => name !== String(index));

/** @throws LockstepError LOCKSTEP_DATA_CLASSES when data has a class that a model does not know */
export function checkKnown(found: readonly string[], known: readonly string[], origin: string): void {
  const unknown = found.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new LockstepError(
    'LOCKSTEP_DATA_CLASSES',
    `${origin} has the ${nounOf(unknown.length, 'class', 'classes')} ${listNames(unknown)}, which the model does not know: it knows ${listNames(known)}. Rename ${nounOf(unknown.length, 'it', 'them')}, or train a model with ${nounOf(unknown.length, 'it', 'them')} (\`lockstep train --weights FILE --replace-head ${found.length}\` gives this one a new last layer).`,
  );
}

/** Of the classes of a model those that the data has none of. */
export function noteAbsent(found: readonly string[], known: readonly string[]): Note[] {
  const absent = known.filter((name) => !found.includes(name));
  if (absent.length === 0) return [];
  const classes = countOf(absent.length, 'class', 'classes');
  return [warned(`the data has no image of ${classes} that the model knows: ${listNames(absent)}`, absent.length)];
}

/**
 * A dataset with the classes of a model, by their names. Where one of the two has no names, labels are the model's as they
 * are.
 *
 * @throws LockstepError LOCKSTEP_DATA_CLASSES when it has a class that the model does not know
 */
export function mapClasses(dataset: Dataset, known: readonly string[]): Dataset {
  const own = dataset.classNames;
  const isSame =
    own === undefined || (own.length === known.length && own.every((name, index) => name === known[index]));
  if (isSame || !areNames(known) || !areNames(own)) return dataset;
  const { checksum: _, train, validation, test, ...parts } = dataset;
  const used = new Set([train, validation, test].flatMap(({ labels }) => [...new Set(labels)]));
  checkKnown(
    own.filter((_, label) => used.has(label)),
    known,
    dataset.source,
  );
  const map = (split: Split): Split => {
    const labels = new Uint8Array(new SharedArrayBuffer(split.count));
    split.labels.forEach((label, index) => {
      labels[index] = known.indexOf(own[label] as string);
    });
    return { ...split, labels };
  };
  const splits = { train: map(train), validation: map(validation), test: map(test) };
  return createDataset({ ...parts, ...splits, classes: known.length, classNames: known });
}
