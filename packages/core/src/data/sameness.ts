/** Images that show nothing, or all the same: what a reader that went wrong gives, as often as data that are. */
import { formatCount } from '../text/count-text.js';
import type { Dataset } from './dataset/dataset.js';

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
