/** The forty made photographs once more, with the network that README.md trains first. */
import { loadMnist } from '@lockstep/core/data/mnist';
import { beforeAll, expect, it } from 'vitest';
import { loadDigits, type Trained, trainDigits } from '../support/export-fixture.ts';
import { PHOTOS, readPhotos, readSoftPhotos } from '../support/forty-photos.ts';

/** Ten epochs of 469 steps. */
const STEPS = 4690;

let trained: Trained;
beforeAll(async () => {
  trained = await trainDigits('tiny6k', await loadDigits(), STEPS);
});

it('cases: data 29: tiny6k reads 36 or more of forty photographs, and nothing on empty sheets', async () => {
  const { right, misread, answered } = await readPhotos(trained, await loadMnist({ offline: true }));
  console.log(`${right} of ${PHOTOS} read rightly`, ...misread);
  expect(right, misread.join('\n')).toBeGreaterThanOrEqual(36);
  expect(answered).toEqual([]);
});

it('cases: data 29: tiny6k reads 36 or more of forty digits out of focus', async () => {
  const { right, misread } = await readSoftPhotos(trained, await loadMnist({ offline: true }));
  console.log(`${right} of ${PHOTOS} read rightly`, ...misread);
  expect(right, misread.join('\n')).toBeGreaterThanOrEqual(36);
});
