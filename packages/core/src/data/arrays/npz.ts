/** Images and labels in NumPy's arrays: of an .npz archive, or of .npz and .npy files beside one another. */
import { basename } from 'node:path';
import { guessed, type Note } from '../../events/data-report.js';
import type { Reading } from '../dataset/dataset.js';
import type { LabelledImages, OwnData } from '../dataset/own-data.js';
import type { PictureRules } from '../pictures/picture-rules.js';
import { ArrayImages, type ArrayOptions } from './images.js';
import { type ArrayPair, type ArrayParts, describePairs, KNOWN_NAMES, pairArrays, readArrayName } from './names.js';
import { parseNpy } from './npy.js';
import { arrayError, isOneHotShape, type NamedArray, readArrayLabels } from './values.js';
import { listZip, unpackMember } from './zip-archive.js';

/** A file with arrays, in memory. */
export interface ArrayFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** What its name says of its arrays, where it is one of several. */
  readonly words?: string | undefined;
}

export interface NpzOptions extends ArrayOptions {
  /** What a model's training images were laid on. Default: decided by the training part. */
  readonly pictures?: PictureRules | undefined;
}

/** An array that nobody has read yet. */
interface Source {
  /** What it says of itself, words of its file before. */
  readonly words: string;
  readonly read: () => NamedArray;
}

type Sources = ReadonlyMap<string, Source>;

/**
 * Reads images and labels. Images are [count, height, width], [count, height, width, channels], [count, channels, height,
 * width] or [count, pixels]: whole numbers 0 to 255, or floats 0 to 1; a fourth channel behind is alpha. Labels are whole
 * numbers or texts, [count] or [count, 1], or one-hot, [count, classes].
 *
 * @throws LockstepError LOCKSTEP_DATA_NPZ naming the array; LOCKSTEP_DATA_SHAPE when the images are too large
 */
export function readNpz(files: readonly ArrayFile[], options: NpzOptions = {}): Omit<OwnData, 'name' | 'origin'> {
  const sources = new Map(files.flatMap((file) => listArrays(file, files.length > 1)));
  const { parts, notes } = findPairs(sources, files);
  const images = new ArrayImages(options);
  const read = (part: keyof ArrayParts) => {
    const pair = parts[part];
    if (pair === undefined) return undefined;
    const [pixels, labels] = [pair.images, pair.labels].map((name) => (sources.get(name) as Source).read()) as [
      NamedArray,
      NamedArray,
    ];
    if (isOneHotShape(labels.array.shape))
      notes.push(guessed(`${labels.source} has one-hot rows: a label is the place of its 1`));
    return images.read(pixels, readArrayLabels(labels), labels.source);
  };
  const train = read('train');
  if (train === undefined) throw noTraining(sources, files);
  const [validation, test] = [read('validation'), read('test')];
  if (test === undefined && validation !== undefined)
    notes.push(guessed('there are no test arrays: validation is the test set'));
  const { rules } = images;
  return {
    train,
    reading: describeReading(parts, { train, validation, test }),
    ...(test === undefined ? { test: validation } : { test, validation }),
    ...(rules && { pictures: rules }),
    notes: [...notes, ...images.notes],
  };
}

function describeReading(
  parts: ArrayParts,
  read: Partial<Record<keyof ArrayParts, LabelledImages | undefined>>,
): Reading {
  const pairs = Object.entries(parts) as [keyof ArrayParts, ArrayPair][];
  return {
    form: 'arrays of NumPy',
    labels: pairs.map(([, { labels }]) => labels).join(', '),
    pieces: pairs.map(([part, { images }]) => ({ of: `images of ${images}`, count: read[part]?.labels.length ?? 0 })),
  };
}

function listArrays({ path, bytes, words = '' }: ArrayFile, isOneOfSeveral: boolean): [string, Source][] {
  const file = basename(path);
  if (isNpy(bytes)) return [[file, { words, read: () => ({ source: path, array: parseNpy(bytes, path) }) }]];
  return listZip(bytes, path)
    .filter(({ name }) => name.endsWith('.npy'))
    .map((member) => {
      const name = member.name.replace(/\.npy$/, '');
      const source = `array ${name} of ${path}`;
      const read = (): NamedArray => ({ source, array: parseNpy(unpackMember(bytes, member, source), source) });
      const own = UNNAMED.test(name) ? '' : name;
      return [isOneOfSeveral ? `${name} of ${file}` : name, { words: `${words} ${own}`, read }];
    });
}

/** As numpy.savez names what it is given without a name. */
const UNNAMED = /^arr_\d+$/;

const isNpy = (bytes: Uint8Array): boolean => bytes[0] === 0x93;

function findPairs(sources: Sources, files: readonly ArrayFile[]): { parts: ArrayParts; notes: Note[] } {
  const names = [...sources.keys()];
  const read = [...sources].map(([name, { words }]) => [name, readArrayName(words)] as const);
  const rests = [...new Set(read.map(([, { rest }]) => rest))].sort();
  const sets = rests
    .map((rest) => ({ rest, parts: pairArrays(new Map(read.filter(([, name]) => name.rest === rest))) }))
    .filter(({ parts }) => parts.train !== undefined);
  const [first, second] = sets;
  if (first !== undefined && (second === undefined || first.rest === '')) {
    return { parts: first.parts, notes: describePairs(first.parts, names) };
  }
  if (second !== undefined) {
    throw arrayError(
      `${listPaths(files)} has more than one dataset: ${sets.map(({ rest }) => rest).join(', ')}. Give one with a dataset alone.`,
    );
  }
  const plain = pairByForm(sources);
  if (plain === undefined) return { parts: {}, notes: [] };
  return { parts: { train: plain }, notes: describePairs({ train: plain }, names, ', by their forms') };
}

/** Two arrays whose names say nothing, where their forms do: one label for each image. */
function pairByForm(sources: Sources) {
  if (sources.size !== 2) return undefined;
  const [first, second] = [...sources].map(([name, { read }]) => ({ name, shape: read().array.shape })) as [
    Formed,
    Formed,
  ];
  const [images, labels] = first.shape.length > second.shape.length ? [first, second] : [second, first];
  const isPlain = labels.shape.length === 1 && images.shape.length >= 2 && images.shape[0] === labels.shape[0];
  return isPlain ? { images: images.name, labels: labels.name } : undefined;
}

interface Formed {
  readonly name: string;
  readonly shape: readonly number[];
}

function noTraining(sources: Sources, files: readonly ArrayFile[]) {
  const found = [...sources.keys()].join(', ') || 'nothing';
  return arrayError(
    `${listPaths(files)} holds ${found}, expected arrays named ${KNOWN_NAMES}. Labels may also be in a file beside it, named as it is but for labels instead of images.`,
  );
}

const listPaths = (files: readonly ArrayFile[]): string => files.map(({ path }) => path).join(', ');
