/** Digits as people bring them: dark on coloured paper, larger, off centre; read as well as the originals. */
import { type DataNotes, type Dataset, fitImage, type PlanarImage, resizeImage } from '@lockstep/core/data';
import { loadMnist } from '@lockstep/core/data/mnist';
import type { RawImage } from '@lockstep/core/data/pictures';
import { beforeAll, expect, it } from 'vitest';
import { computeReference, loadDigits, type Trained, trainDigits } from '../support/export-fixture.ts';
import { readPhotos } from '../support/forty-photos.ts';

const COUNT = 300;
/** Of the digits that were right as they are in MNIST, how many may be lost by their journey. */
const MAX_LOST = 15;
const PAPER = [235, 228, 215] as const;

/** Dark ink on paper; size and place depend on `index`. */
function photograph(digit: PlanarImage, index: number): RawImage {
  const side = 60 + 20 * (index % 5);
  const large = resizeImage(digit, side, side);
  const [height, width] = [side + 13 * (index % 7), side + 17 * (index % 4)];
  const [top, left] = [(index * 7) % (height - side + 1), (index * 11) % (width - side + 1)];
  const pixels = Uint8Array.from({ length: 3 * height * width }, (_, i) => PAPER[i % 3] as number);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const ink = (large.pixels[y * side + x] as number) / 255;
      const at = 3 * ((top + y) * width + left + x);
      for (let c = 0; c < 3; c++) pixels[at + c] = Math.round((1 - ink) * (PAPER[c] as number) + ink * 30);
    }
  }
  return { channels: 3, height, width, pixels };
}

let dataset: Dataset;
let trained: Trained;

beforeAll(async () => {
  dataset = await loadDigits();
  trained = await trainDigits('lenet5', dataset, 900);
});

it('cases: data 29: reads 36 or more of forty made photographs, and nothing on empty sheets', async () => {
  const { right, misread, answered } = await readPhotos(trained, await loadMnist({ offline: true }));
  expect(right, misread.join('\n')).toBeGreaterThanOrEqual(36);
  expect(answered).toEqual([]);
});

it('reads digits on paper as well as those of MNIST', async () => {
  const { images, labels } = dataset.test;
  const digits = Array.from({ length: COUNT }, (_, index) => images.subarray(index * 784, (index + 1) * 784));
  const notes: DataNotes = trained.notes;
  expect(notes.ink).toBeGreaterThan(0.65);
  const fitted = digits.map((pixels, index) =>
    fitImage(photograph({ channels: 1, height: 28, width: 28, pixels }, index), trained.model.input, notes),
  );
  for (const { changes } of fitted) {
    expect(changes).toEqual([
      'colours to grey',
      'inverted, since the training images have a dark ground',
      expect.stringMatching(/^drawing found in \d+x\d+ pixels, scaled and centred in 28x28$/),
    ]);
  }
  const brought = { ...dataset.test, images: new Uint8Array(images) };
  for (const [index, { image }] of fitted.entries()) brought.images.set((image as PlanarImage).pixels, index * 784);
  const countRight = async (test: typeof dataset.test): Promise<number> => {
    const { predicted } = await computeReference(trained, { ...dataset, test }, COUNT);
    return predicted.filter((value, index) => value === labels[index]).length;
  };
  const original = await countRight(dataset.test);
  expect(original).toBeGreaterThan(COUNT * 0.9);
  expect(await countRight(brought)).toBeGreaterThanOrEqual(original - MAX_LOST);
});
