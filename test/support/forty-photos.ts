/** Forty made photographs of digits, and empty sheets, through a network. */
import { type Dataset, fitImage, type PlanarImage } from '@lockstep/core/data';
import type { RawImage } from '@lockstep/core/data/pictures';
import { computeReference, type Trained } from './export-fixture.ts';
import { photograph, photographSoftly, planPhoto, SHEETS } from './made-photos.ts';

export const PHOTOS = 40;
/** Images of the test set among which digits are chosen that the network reads rightly as they are. */
const CHOSEN_FROM = 400;

/** How many of the forty are read rightly, with a line for each of the others; and the empty sheets that got an answer. */
export async function readPhotos(trained: Trained, sample: Dataset) {
  const digits = await chooseDigits(trained, sample);
  const made = Array.from({ length: PHOTOS }, (_, index) => {
    const { label, name, sheet, pen, place } = planPhoto(index);
    return { label, name, raw: photograph(sheet, index, { digit: digits(label, index & 3), pen, place }) };
  });
  const answered = Object.entries(SHEETS).flatMap(([name, sheet], index) =>
    fitImage(photograph(sheet, 100 + index), trained.model.input, trained.notes).image === undefined ? [] : [name],
  );
  return { ...(await read(made, trained, sample)), answered };
}

/** How many of forty digits are read rightly that are blown up by 4 to 12, half of them blurred before. */
export async function readSoftPhotos(trained: Trained, sample: Dataset) {
  const digits = await chooseDigits(trained, sample);
  const made = Array.from({ length: PHOTOS }, (_, index) => {
    const [label, factor, isBlurred] = [index >> 2, 4 + ((index * 5) % 9), (index & 1) === 1];
    const raw = photographSoftly(digits(label, index & 3), index, factor, isBlurred);
    return { label, name: `a soft sheet, ${factor} times as large`, raw };
  });
  return read(made, trained, sample);
}

async function read(
  made: readonly { label: number; name: string; raw: RawImage }[],
  trained: Trained,
  sample: Dataset,
) {
  const misread: string[] = [];
  const fitted = made.map((photo) => ({
    ...photo,
    image: fitImage(photo.raw, trained.model.input, trained.notes).image,
  }));
  const found = fitted.flatMap(({ image }) => image ?? []);
  const { predicted } = await predictAll(trained, sample, found);
  for (const [index, { label, name, image }] of fitted.entries()) {
    const answer = image && predicted[found.indexOf(image)];
    if (answer !== label) misread.push(`${index}: a ${label} on ${name} is read as ${answer ?? 'nothing'}`);
  }
  return { right: made.length - misread.length, misread };
}

async function chooseDigits(trained: Trained, sample: Dataset) {
  const { predicted } = await computeReference(trained, sample, CHOSEN_FROM);
  const { images, labels } = sample.test;
  return (label: number, which: number): PlanarImage => {
    const right = predicted.flatMap((digit, at) => (digit === label && labels[at] === label ? [at] : []));
    const at = right[which] as number;
    return { channels: 1, height: 28, width: 28, pixels: images.subarray(784 * at, 784 * (at + 1)) };
  };
}

function predictAll(trained: Trained, sample: Dataset, found: readonly PlanarImage[]) {
  const images = new Uint8Array(sample.test.images);
  for (const [index, { pixels }] of found.entries()) images.set(pixels, 784 * index);
  return computeReference(trained, { ...sample, test: { ...sample.test, images } }, found.length);
}
