import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePngImage } from '@lockstep/core/data/pictures';
import { findZooModel } from '@lockstep/core/zoo';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordingIo } from '../testing/recording-io.js';
import { describeNotice, formatReading, loadData, loadDataLikeTraining, loadTrainingData } from './data.js';

let folder: string;
let data: string;
const { model } = findZooModel('lenet5');

/** Two classes of grey images, four each. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-load-'));
  data = join(folder, 'things');
  for (const [index, name] of ['a', 'b'].entries()) {
    mkdirSync(join(data, name), { recursive: true });
    for (let i = 0; i < 4; i++) {
      const pixels = new Uint8Array(784).fill(40 * index + i).fill(200, 0, 28);
      writeFileSync(join(data, name, `${i}.png`), encodePngImage({ channels: 1, height: 28, width: 28, pixels }));
    }
  }
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const request = (more: object = {}) => ({ path: data, cacheDirectory: join(folder, 'cache'), ...more });

describe('cases: work 32: without a network', () => {
  it('takes the sample under LOCKSTEP_OFFLINE, asks nobody, and says so in one line', async () => {
    vi.stubEnv('LOCKSTEP_CACHE', join(folder, 'cache'));
    const fetching = vi.spyOn(globalThis, 'fetch');
    try {
      const io = new RecordingIo();
      io.env['LOCKSTEP_OFFLINE'] = '1';
      const { dataset } = await loadTrainingData({ path: undefined }, model, io);
      expect(dataset.train.count).toBe(8500);
      expect(io.stderr.lines).toEqual([expect.stringMatching(/^warning: this is the small embedded sample of MNIST/)]);
      expect(fetching).not.toHaveBeenCalled();
    } finally {
      fetching.mockRestore();
      vi.unstubAllEnvs();
    }
  });

  it('names the first cause alone when every mirror is lost', () => {
    const lost = ['http://a/x.gz: no answer. Trying http://b/ instead.', 'http://b/x.gz: no. No mirror is left.'];
    expect(describeNotice('a sample.', lost)).toBe(
      'warning: MNIST cannot be downloaded (http://a/x.gz: no answer; --offline does not try): a sample.',
    );
  });
});

describe('loading data', () => {
  it('changes a model to fit, and tells what it changed and what it held out', async () => {
    const io = new RecordingIo();
    const { dataset, model: adapted } = await loadTrainingData(request({ heldOut: 2 }), model, io);
    expect([dataset.train.count, dataset.test.count, adapted.classes]).toEqual([6, 2, 2]);
    expect(io.stderr.lines).toEqual([
      'note: lenet5 was changed to fit the data: 10 classes to 2',
      'note: the data has no test set; 2 of its 8 images, the last of each class, are kept for one (--validation sets how many)',
    ]);
  });

  it('shows a bar on a terminal and takes it away', async () => {
    const io = new RecordingIo({ stderrIsTTY: true });
    await loadTrainingData(request(), model, io);
    expect(io.stderr.text).toContain('checking 100%|████████████████████| 8/8');
    expect(io.stderr.text.split('\r\x1b[J').at(-1)).not.toContain('checking');
  });

  it('refuses to evaluate a model on data of another shape', async () => {
    const { model: trained } = await loadTrainingData(request(), model, new RecordingIo());
    const small = { ...trained, input: { ...trained.input, width: 20 } };
    await expect(loadData(request(), small, new RecordingIo())).rejects.toThrow(
      'LOCKSTEP_DATA_MODEL: lenet5 reads images of 1x28x20 in 2 classes, the data (7 + 1 images',
    );
  });

  it('normalizes later data as the training data were, and resizes them only if those were', async () => {
    const carried = { mean: [0.25], std: [0.5], classNames: ['a', 'b'], border: 0.1 };
    const notes = { notes: carried, carried };
    const two = { ...model, classes: 2 };
    const io = new RecordingIo();
    expect(await loadDataLikeTraining(request(), two, notes, io)).toMatchObject({
      mean: [0.25],
      std: [0.5],
      height: 28,
    });
    const small = { ...two, input: { channels: 1, height: 20, width: 18 } };
    await expect(loadDataLikeTraining(request(), small, notes, io)).rejects.toThrow('LOCKSTEP_DATA_MODEL');
    const resized = await loadDataLikeTraining(
      request(),
      small,
      { notes: carried, carried: { ...carried, isResized: true } },
      io,
    );
    expect(resized).toMatchObject({ height: 20, width: 18 });
  });
});

it('formatReading says what is done and how far it is', () => {
  expect(formatReading({ phase: 'reading', done: 450, total: 1000 })).toBe(
    'reading  45%|█████████           | 450/1,000',
  );
  expect(formatReading({ phase: 'checking', done: 0, total: 0 })).toBe('checking 100%|████████████████████| 0/0');
});
