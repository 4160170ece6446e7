import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadMnist } from './mnist.js';
import { MNIST_FILES, MNIST_MIRRORS } from './mnist-files.js';
import { Mirrors, serve } from './test-mirror.js';
import { findFullMnist, makeImages, makeLabels, packFile } from './test-mnist.js';

const mirrors = new Mirrors();
let cacheDirectory: string;
let warnings: string[];
const onWarning = ({ code, message }: { code: string; message: string }) => warnings.push(`${code}: ${message}`);
beforeEach(() => {
  cacheDirectory = mkdtempSync(join(tmpdir(), 'lockstep-mnist-'));
  warnings = [];
});
afterEach(async () => {
  await mirrors.close();
  rmSync(cacheDirectory, { recursive: true });
});

describe('loadMnist', () => {
  it('takes a folder it is given, and tries nothing else', async () => {
    const mirror = await mirrors.start(serve([]));
    writeFileSync(join(cacheDirectory, 'train-images-idx3-ubyte'), makeImages(6));
    writeFileSync(join(cacheDirectory, 'train-labels-idx1-ubyte'), makeLabels(6));
    writeFileSync(join(cacheDirectory, 't10k-images-idx3-ubyte'), makeImages(3));
    const options = { directory: cacheDirectory, cacheDirectory, mirrors: [mirror.url], onWarning };
    await expect(loadMnist(options)).rejects.toThrow(`${cacheDirectory} has no t10k-labels file`);
    writeFileSync(join(cacheDirectory, 't10k-labels-idx1-ubyte'), makeLabels(3));
    expect((await loadMnist(options)).source).toBe(`6 + 3 images from ${cacheDirectory}`);
    expect((await loadMnist({ ...options, classes: 12 })).classes).toBe(12);
    expect(mirror.requests).toEqual([]);
  });

  it('falls back on the embedded sample when offline, without a warning but with its notice', async () => {
    const dataset = await loadMnist({ cacheDirectory, offline: true, onWarning });
    expect([dataset.name, warnings]).toEqual(['mnist-sample', []]);
    expect(dataset.notice).toContain('the small embedded sample');
  });

  it('falls back on the embedded sample when no mirror has MNIST, with a warning for each', async () => {
    const impostor = packFile(MNIST_FILES.trainImages.name, makeImages(60));
    const bad = await mirrors.start(serve([impostor]));
    const none = await mirrors.startNone();
    const dataset = await loadMnist({ cacheDirectory, mirrors: [bad.url, none], onWarning });
    expect(dataset.name).toBe('mnist-sample');
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain(`${bad.url}train-images-idx3-ubyte.gz: wrong content (376 bytes, expected 47040016`);
    expect(warnings[1]).toContain(`${none}train-images-idx3-ubyte.gz: fetch failed (ECONNREFUSED`);
    expect(readdirSync(cacheDirectory)).toEqual([]);
  });

  it('knows two mirrors that are addresses of folders', () => {
    expect(MNIST_MIRRORS.length).toBeGreaterThanOrEqual(2);
    for (const mirror of MNIST_MIRRORS) expect(mirror).toMatch(/^https:\/\/.*\/$/);
  });

  const full = findFullMnist();
  it.skipIf(full === undefined)(
    'downloads MNIST into the cache, then loads it from there (needs the full set)',
    async () => {
      const files = Object.values(MNIST_FILES).map((file) => {
        const packed = readFileSync(join(full ?? '', file.name));
        return { ...file, packed, content: new Uint8Array(0) };
      });
      const mirror = await mirrors.start(serve(files));
      const options = { cacheDirectory, mirrors: [mirror.url], onWarning };
      const downloaded = await loadMnist(options);
      expect(downloaded).toMatchObject({
        name: 'mnist',
        source: `60,000 + 10,000 images from ${mirror.url}`,
        classes: 10,
      });
      const cached = await loadMnist(options);
      expect(cached.source).toBe(`60,000 + 10,000 images from ${join(cacheDirectory, 'mnist')}`);
      expect(mirror.requests).toEqual(Object.values(MNIST_FILES).map(({ name }) => name));
      const given = await loadMnist({ directory: full });
      expect([downloaded.checksum, cached.checksum, given.checksum]).toEqual(Array(3).fill(FULL_CHECKSUM));
      expect(warnings).toEqual([]);
    },
  );
});

/** Of the dataset, not of a file: runs on full MNIST can be recognized by it. */
const FULL_CHECKSUM = '8c66ce9ebcac632dcf99a1a9550e5a04b4b8d0d9d6cef0dbc128dcc7f9f2c8bd';
