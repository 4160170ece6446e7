/**
 * What is odd about the images of a dataset: they show nothing, or all the same, or stand in two parts. A reader that went
 * wrong gives such data as often as data that are so.
 */
import { type Note, warned } from '../events/data-report.js';
import { countOf, formatCount } from '../text/count-text.js';
import type { Dataset, Split } from './dataset/dataset.js';
import { countLabels } from './report-data.js';

/** Largest values of two parts further apart than this are of two scales. */
const SAME_SCALE = 16;
/** A share of copies above this is odd. */
const MANY = 0.5;

type Part = 'training' | 'validation' | 'test';
type Parts = readonly (readonly [Part, Split])[];

/** Lines for people; none for most data. */
export function findOddities(dataset: Dataset): Note[] {
  const { train, validation, test } = dataset;
  const parts = (
    [
      ['training', train],
      ['validation', validation],
      ['test', test],
    ] as const
  ).filter(([, { count }]) => count > 0);
  const known = new ImageIndex(train);
  const seen = parts.map(([part, split]) => ({ part, split, seen: known.look(split, split === train) }));
  return [
    ...noteBlank(
      parts,
      seen.map(({ seen }) => seen.blank),
    ),
    ...noteCopies(train, seen[0]?.seen.copies ?? 0),
    ...seen.slice(1).flatMap(({ part, split, seen }) => noteShared(part, split, seen)),
    ...noteScales(parts),
    ...noteMissing(dataset, parts),
  ];
}

function noteBlank(parts: Parts, blanks: readonly number[]): Note[] {
  const [blank, all] = [sum(blanks), sum(parts.map(([, { count }]) => count))];
  if (blank === 0) return [];
  return [
    warned(`${formatCount(blank)} of ${countOf(all, 'image')} are blank: all pixels of an image are equal`, blank),
  ];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function noteCopies({ count }: Split, copies: number): Note[] {
  if (count > 1 && copies === count - 1)
    return [warned(`all ${formatCount(count)} training images are the same`, count)];
  if (copies <= MANY * count) return [];
  return [warned(`${formatCount(copies)} of ${formatCount(count)} training images are copies of others`, copies)];
}

/** What is measured on them was learned by heart. */
function noteShared(part: Part, { count }: Split, { copies, underOther }: Seen): Note[] {
  if (copies === 0) return [];
  const other = underOther === 0 ? '' : `, ${formatCount(underOther)} of them under another label`;
  return [
    warned(`${formatCount(copies)} of ${formatCount(count)} ${part} images are training images too${other}`, copies),
  ];
}

function noteScales(parts: Parts): Note[] {
  const [first, ...others] = parts.map(([part, { images }]) => ({ part, most: findLargest(images) }));
  return others.flatMap(({ part, most }) => {
    const [low, high] = [Math.min(first?.most ?? 0, most), Math.max(first?.most ?? 0, most)];
    if (high <= SAME_SCALE * low) return [];
    return [
      warned(
        `the largest pixel of the training images is ${first?.most}, of the ${part} images ${most}: they look like two scales. Bring both to one, or nothing that is said of the ${part} images means anything`,
      ),
    ];
  });
}

function findLargest(pixels: Uint8Array): number {
  let most = 0;
  for (let i = 0; i < pixels.length && most < 255; i++) if ((pixels[i] as number) > most) most = pixels[i] as number;
  return most;
}

/** Classes that only one of two parts has: nothing is learned of one, nothing measured of the other. */
function noteMissing({ classes, classNames }: Dataset, [first, ...others]: Parts): Note[] {
  if (first === undefined) return [];
  const inTrain = countLabels(first[1], classes);
  const list = (isIn: (label: number) => boolean): readonly string[] =>
    Array.from({ length: classes }, (_, label) => label)
      .filter(isIn)
      .map((label) => classNames?.[label] ?? String(label));
  return others.flatMap(([part, split]) => {
    const there = countLabels(split, classes);
    const onlyThere = list((label) => there[label] !== 0 && inTrain[label] === 0);
    const onlyTrain = list((label) => there[label] === 0 && inTrain[label] !== 0);
    return [
      ...(onlyThere.length > 0
        ? [warned(`the ${part} set has ${describeClasses(onlyThere)} without a training image`, onlyThere.length)]
        : []),
      ...(onlyTrain.length > 0
        ? [
            warned(
              `the ${part} set has no image of ${describeClasses(onlyTrain)} of the training set`,
              onlyTrain.length,
            ),
          ]
        : []),
    ];
  });
}

const SHOWN = 5;

function describeClasses(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(', ');
  return `${countOf(names.length, 'class', 'classes')} (${names.length > SHOWN ? `${shown}, ...` : shown})`;
}

interface Seen {
  readonly blank: number;
  /** Images, not blank, that equal one that is known; within the known split itself an earlier one. */
  readonly copies: number;
  readonly underOther: number;
}

/** Finds images that equal one of a split, byte for byte. */
class ImageIndex {
  /** By hash the images that have it, mostly one. */
  readonly #places = new Map<number, number[]>();

  constructor(private readonly known: Split) {}

  /** @param isOwn whether it is the known split, which is taken in on the way */
  look(split: Split, isOwn: boolean): Seen {
    const bytes = split.images.length / split.count;
    let [blank, copies, underOther] = [0, 0, 0];
    for (let n = 0; n < split.count; n++) {
      const image = split.images.subarray(n * bytes, (n + 1) * bytes);
      const isBlank = image.every((value) => value === image[0]);
      if (isBlank) blank++;
      const hash = hashImage(image);
      const places = this.#places.get(hash) ?? [];
      const place = places.find((at) => this.#isEqual(at, image));
      if (isOwn && place === undefined) this.#places.set(hash, [...places, n]);
      if (place === undefined || (isBlank && !isOwn)) continue;
      copies++;
      if (this.known.labels[place] !== split.labels[n]) underOther++;
    }
    return { blank, copies, underOther };
  }

  #isEqual(at: number, image: Uint8Array): boolean {
    return Buffer.compare(this.known.images.subarray(at * image.length, (at + 1) * image.length), image) === 0;
  }
}

/** FNV-1a, of 32 bits. */
function hashImage(image: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < image.length; i++) hash = Math.imul(hash ^ (image[i] as number), 0x01000193);
  return hash;
}
