import { loadEmbedded } from '@lockstep/core/data/mnist';
import type { CheckpointInfo } from '@lockstep/core/state';
import { findZooModel } from '@lockstep/core/zoo';
import { describe, expect, it } from 'vitest';
import { readRecalled, recallData, resumedRun } from './recalled-data.js';

const { model, recipe } = findZooModel('tiny6k');
const infoOf = (origin: CheckpointInfo['dataset']['origin']): CheckpointInfo => ({
  ...{ step: 7, seed: 1, model, recipe, epochs: [], epochSeconds: 0 },
  dataset: {
    ...{ source: '60,000 + 10,000 images from a mirror', checksum: 'a'.repeat(64) },
    ...{ trainSamples: 60_000, validationSamples: 0, origin },
  },
});

const dataOf = (origin: CheckpointInfo['dataset']['origin']) => infoOf(origin).dataset;
const runOf = (origin: CheckpointInfo['dataset']['origin']) => resumedRun(infoOf(origin));

describe('recallData', () => {
  const origin = { kind: 'path', path: '/data', form: { heldOut: 50, labelColumn: 'kind' } } as const;

  it('takes what is asked for before what the checkpoint says', () => {
    expect(recallData(dataOf(origin), { path: undefined })).toMatchObject({ path: '/data', heldOut: 50 });
    const asked = { path: '/moved', heldOut: 60, labelColumn: undefined };
    expect(recallData(dataOf(origin), asked)).toEqual({ path: '/moved', heldOut: 60, labelColumn: 'kind' });
  });

  it('takes the embedded sample for a run that was on it, unless data is named', () => {
    expect(recallData(dataOf({ kind: 'sample' }), { path: undefined })).toMatchObject({ isSample: true });
    expect(recallData(dataOf({ kind: 'sample' }), { path: '/data' })).toEqual({ path: '/data' });
    expect(recallData(dataOf({ kind: 'mnist' }), { path: undefined })).toMatchObject({ isSample: false });
    const resized = { kind: 'sample', form: { resize: { height: 14, width: 14 } } } as const;
    expect(recallData(dataOf(resized), { path: undefined })).toMatchObject({ isSample: true, ...resized.form });
  });
});

describe('readRecalled', () => {
  it.each([
    [
      'known',
      { kind: 'mnist' } as const,
      'Connect to the network once, or say where the same data is with --data PATH.',
    ],
    ['not known, as in checkpoints of before', undefined, 'Say where the same data is with --data PATH.'],
  ])('cases: work 13: asks for MNIST where only the sample can be had; its origin is %s', async (_, origin, advice) => {
    await expect(readRecalled(runOf(origin), false, loadEmbedded)).rejects.toThrow(
      'LOCKSTEP_CHECKPOINT_DATA: the run of step 7 was trained on 60,000 + 10,000 images from a mirror, SHA-256 aaaaaaaaaaaa...: ' +
        `there is now 8,500 + 1,500 images of MNIST's training set, which Lockstep has with it, SHA-256 d0c9d9aab6cd.... ${advice}`,
    );
  });

  it('leaves it to the run to compare, where other data may be taken', async () => {
    expect((await readRecalled(runOf({ kind: 'mnist' }), true, loadEmbedded)).name).toBe('mnist-sample');
  });

  it('hands on what has nothing to do with data', async () => {
    const read = () => Promise.reject(new TypeError('a bug'));
    await expect(readRecalled(runOf(undefined), false, read)).rejects.toThrow(TypeError);
  });
});
