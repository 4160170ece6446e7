/** What the readers here share. */
/** A module of a package as it is built. */
export const dist = (name) => import(new URL(`../../packages/${name}.js`, import.meta.url).href);
export const fill = (count, step = 37) => Uint8Array.from({ length: count }, (_, i) => (i * step + (i >> 3)) % 256);

/** A dataset that is given has what it says. */
export async function openData(at, options = {}) {
  const { openDataset } = await dist('core/dist/data/index');
  // no cache: it would hide the reader
  const dataset = await openDataset(at, { cacheDirectory: '/dev/null/none', ...options });
  checkDataset(dataset);
}

export function checkDataset({ channels, height, width, classes, train, test, validation }) {
  for (const { count, images, labels } of [train, test, validation]) {
    const isWhole = images.length === count * channels * height * width && labels.length === count;
    if (!isWhole || labels.some((label) => label >= classes)) throw new Error('a dataset has other sizes than it says');
  }
}
