/** Images that show nothing, or all the same, or are of two scales: what a reader that went wrong gives, as often as data. */
import { formatCount } from '../text/count-text.js';
import type { Dataset, Split } from './dataset/dataset.js';

/** Largest values further apart than this are of two scales. */
const ONE_SCALE = 16;

/** For people: how many training images are blank, and whether all are the same; nothing to say of most data. */
export function noteSameness({ train }: Pick<Dataset, 'train'>): string[] {
  const { count, images } = train;
  const bytes = images.length / count;
  let blank = 0;
  let isSame = count > 1;
  for (let n = 0; n < count; n++) {
    const image = images.subarray(n * bytes, (n + 1) * bytes);
    if (image.every((value) => value === image[0])) blank++;
    isSame &&= image.every((value, i) => value === images[i]);
  }
  const of = (some: number): string => `${formatCount(some)} of ${formatCount(count)} training images`;
  return [
    ...(blank > 0 ? [`${of(blank)} are blank: all pixels of an image are equal`] : []),
    ...(isSame ? [`all ${formatCount(count)} training images are the same`] : []),
  ];
}

/** For people: a part whose largest value is far from the training part's, as where one part alone was divided by 255. */
export function noteScales({ train, validation, test }: Pick<Dataset, 'train' | 'validation' | 'test'>): string[] {
  const largest = findLargest(train);
  return Object.entries({ validation, test }).flatMap(([name, part]) => {
    const own = findLargest(part);
    const [least, most] = own < largest ? [own, largest] : [largest, own];
    if (part.count === 0 || most <= ONE_SCALE * least) return [];
    return [
      `the largest pixel of the training images is ${largest}, of the ${name} images ${own}: they look like two scales. Bring both to one, or nothing that is said of the ${name} images means anything`,
    ];
  });
}

function findLargest({ images }: Split): number {
  let largest = 0;
  for (let i = 0; i < images.length && largest < 255; i++) largest = Math.max(largest, images[i] as number);
  return largest;
}
