/** Images and labels in NumPy's arrays: of an .npz archive, or of .npz and .npy files beside one another. */
import { basename } from 'node:path';
import { guessed, type Note } from '../../events/data-report.js';
import { countOf } from '../../text/count-text.js';
import type { Reading } from '../dataset/dataset.js';
import type { LabelledImages, OwnData } from '../dataset/own-data.js';
import type { PictureRules } from '../pictures/picture-rules.js';
import { ArrayImages, type ArrayOptions } from './images.js';
import { type ArrayPair, type ArrayParts, describePairs, KNOWN_NAMES, pairArrays, readArrayName } from './names.js';
import { type NpyHeader, parseNpy, readNpyHeader } from './npy.js';
import { arrayError, isOneHotShape, type NamedArray, readArrayLabels } from './values.js';
import { listZip, peekMember, unpackMember } from './zip-archive.js';

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
  /** For people: `array x of digits.npz`. */
  readonly source: string;
  /** What its first bytes say; nothing more is unpacked for that. */
  readonly peek: () => NpyHeader;
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
    const both = [pair.images, pair.labels].map((name) => sources.get(name) as Source) as [Source, Source];
    checkCounts(...both);
    const [pixels, labels] = both.map((one) => one.read()) as [NamedArray, NamedArray];
    if (isOneHotShape(labels.array.shape))
      notes.push(guessed(`${labels.source} has one-hot rows: a label is the place of its 1`));
    return images.read(pixels, readArrayLabels(labels));
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

/** Before any of them is unpacked. */
function checkCounts(images: Source, labels: Source): void {
  const [{ shape }, { shape: labelShape }] = [images.peek(), labels.peek()];
  const [count = 0] = shape;
  const [labelCount = 0] = labelShape;
  if (labelCount === count) return;
  throw arrayError(
    `${images.source} has ${countOf(count, 'image')}, ${labels.source} has ${countOf(labelCount, 'label')}.`,
  );
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
  if (isNpy(bytes)) {
    const peek = (): NpyHeader => readNpyHeader(bytes, bytes.length, path);
    return [[file, { words, source: path, peek, read: () => ({ source: path, array: parseNpy(bytes, path) }) }]];
  }
  return listZip(bytes, path)
    .filter(({ name }) => name.endsWith('.npy'))
    .map((member) => {
      const name = member.name.replace(/\.npy$/, '');
      const source = `array ${name} of ${path}`;
      const read = (): NamedArray => ({ source, array: parseNpy(unpackMember(bytes, member, source), source) });
      const peek = (): NpyHeader => readNpyHeader(peekMember(bytes, member, source), member.bytes, source);
      const own = UNNAMED.test(name) ? '' : name;
      return [isOneOfSeveral ? `${name} of ${file}` : name, { words: `${words} ${own}`, source, peek, read }];
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
  return { parts: plain, notes: describePairs(plain, names, ', by their forms') };
}

/**
 * Arrays whose names say nothing, where their forms do: one label for each image. Of two such pairs, which must differ in
 * their numbers of images, the first is for training and the second the test set.
 */
function pairByForm(sources: Sources): ArrayParts | undefined {
  if (sources.size !== 2 && sources.size !== 4) return undefined;
  const formed: Formed[] = [...sources].map(([name, { peek }]) => ({ name, shape: peek().shape }));
  const labels = formed.filter(({ shape }) => shape.length === 1);
  const images = formed.filter(({ shape }) => shape.length >= 2);
  const counts = new Set(images.map(({ shape }) => shape[0]));
  const pairs = images.flatMap((one) => {
    const own = labels.find(({ shape }) => shape[0] === one.shape[0]);
    return own === undefined ? [] : [{ images: one.name, labels: own.name }];
  });
  const [train, test] = pairs;
  if (train === undefined || pairs.length !== sources.size / 2 || counts.size !== pairs.length) return undefined;
  return { train, ...(test && { test }) };
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
