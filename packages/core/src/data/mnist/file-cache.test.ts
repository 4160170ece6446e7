import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CacheOptions, getFiles } from './file-cache.js';
import { Mirrors, serve } from './test-mirror.js';
import { makeImages, makeLabels, packFile } from './test-mnist.js';

const images = packFile('images.gz', makeImages(500, 1, 28, 28));
const labels = packFile('labels.gz', makeLabels(500));
const files = [images, labels];

const mirrors = new Mirrors();
let root: string;
let folder: string;
let warnings: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-cache-'));
  folder = join(root, 'not', 'yet', 'there');
  warnings = [];
});
afterEach(async () => {
  await mirrors.close();
  rmSync(root, { recursive: true });
});

const get = (mirror: string | undefined, options: Partial<CacheOptions> = {}) =>
  getFiles(files, folder, {
    mirrors: mirror === undefined ? [] : [mirror],
    onWarning: ({ code, message }) => warnings.push(`${code}: ${message}`),
    ...options,
  });

function expectBoth(found: Awaited<ReturnType<typeof get>>): void {
  expect(found?.contents.size).toBe(2);
  for (const { name, content } of files)
    expect(Buffer.compare(found?.contents.get(name) ?? Buffer.of(), content)).toBe(0);
}

describe('getFiles', () => {
  it('downloads into the folder once, and reads from there afterwards', async () => {
    const mirror = await mirrors.start(serve(files));
    const first = await get(mirror.url);
    expectBoth(first);
    expect(first?.mirrors).toEqual([mirror.url]);
    const second = await get(mirror.url);
    expectBoth(second);
    expect(second?.mirrors).toEqual([]);
    expect(mirror.requests).toEqual(['images.gz', 'labels.gz']);
    expect(readdirSync(folder).sort()).toEqual(['images.gz', 'labels.gz']);
    expect(warnings).toEqual([]);
  });

  it('works without a network once the folder has the files', async () => {
    const mirror = await mirrors.start(serve(files));
    await get(mirror.url);
    expectBoth(await get(await mirrors.startNone()));
    expectBoth(await get(undefined, { offline: true }));
  });

  it('asks no mirror when offline', async () => {
    const mirror = await mirrors.start(serve(files));
    expect(await get(mirror.url, { offline: true })).toBeUndefined();
    expect(mirror.requests).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it.each<[string, (packed: Uint8Array) => Uint8Array, string]>([
    [
      'other content',
      () => packFile('x', makeLabels(500, 9)).packed,
      `does not have the expected SHA-256 ${labels.sha256}; it is not used.`,
    ],
    [
      'half of its bytes',
      (packed) => packed.subarray(0, packed.length / 2),
      'cannot be unpacked: its gzip data ends too early.',
    ],
    ['no bytes', () => new Uint8Array(0), 'does not have the expected SHA-256'],
  ])('downloads again a file that has %s, and only that', async (_, damage, text) => {
    const mirror = await mirrors.start(serve(files));
    await get(mirror.url);
    writeFileSync(join(folder, 'labels.gz'), damage(labels.packed));
    expectBoth(await get(mirror.url));
    expect(mirror.requests).toEqual(['images.gz', 'labels.gz', 'labels.gz']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`LOCKSTEP_DATA_CACHE: ${join(folder, 'labels.gz')}`);
    expect(warnings[0]).toContain(text);
    expect(readFileSync(join(folder, 'labels.gz'))).toEqual(labels.packed);
  });

  it('keeps the files it got when the rest cannot be had, and goes on from there', async () => {
    const half = await mirrors.start(serve([images]));
    expect(await get(half.url)).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['images.gz']);
    const whole = await mirrors.start(serve(files));
    expectBoth(await get(whole.url));
    expect(whole.requests).toEqual(['labels.gz']);
  });

  it('uses the data from memory, with one warning, when the folder cannot be written', async () => {
    writeFileSync(join(root, 'not'), 'a file where a folder should be');
    const mirror = await mirrors.start(serve(files));
    expectBoth(await get(mirror.url));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^LOCKSTEP_DATA_CACHE: cannot write to the cache folder .*there: (ENOTDIR|EEXIST)/);
    expect(warnings[0]).toContain('The data is used from memory; set LOCKSTEP_CACHE to a folder that can be written.');
  });

  it('warns of a file that cannot be read, and does without it', async () => {
    mkdirSync(join(folder, 'images.gz'), { recursive: true });
    const mirror = await mirrors.start(serve(files));
    expectBoth(await get(mirror.url));
    expect(warnings[0]).toContain(`LOCKSTEP_DATA_CACHE: cannot read ${join(folder, 'images.gz')}: EISDIR`);
    expect(warnings[1]).toContain('cannot write to the cache folder');
  });

  it('throws the reason when aborted', async () => {
    const controller = new AbortController();
    const mirror = await mirrors.start(() => controller.abort(new Error('Ctrl-C')));
    await expect(get(mirror.url, { signal: controller.signal })).rejects.toThrow('Ctrl-C');
    await expect(get(mirror.url, { signal: controller.signal })).rejects.toThrow('Ctrl-C');
    expect(mirror.requests).toEqual(['images.gz']);
  });

  it('lets several downloads run at once and leaves whole files only', async () => {
    const mirror = await mirrors.start(serve(files));
    const all = await Promise.all(Array.from({ length: 5 }, () => get(mirror.url)));
    all.forEach(expectBoth);
    expect(readdirSync(folder).sort()).toEqual(['images.gz', 'labels.gz']);
    for (const { name, packed } of files) expect(readFileSync(join(folder, name))).toEqual(packed);
    expect(warnings).toEqual([]);
  });

  const built = new URL('../../../dist/data/mnist/file-cache.js', import.meta.url);
  it.skipIf(!existsSync(fileURLToPath(built)))(
    'lets two processes download at once and leaves whole files only (needs the build)',
    async () => {
      const mirror = await mirrors.start(serve(files));
      const script = `
        const [url, folder, files] = JSON.parse(process.argv[1]);
        const { getFiles } = await import(${JSON.stringify(built.href)});
        const onWarning = ({ message }) => { throw new Error(message); };
        const found = await getFiles(files, folder, { mirrors: [url], onWarning });
        console.log(String(found.contents.size));`;
      const plain = files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 }));
      const args = ['--input-type=module', '-e', script, JSON.stringify([mirror.url, folder, plain])];
      const run = () => promisify(execFile)(process.execPath, args);
      const results = await Promise.all([run(), run()]);
      expect(results.map(({ stdout }) => stdout)).toEqual(['2\n', '2\n']);
      expect(readdirSync(folder).sort()).toEqual(['images.gz', 'labels.gz']);
      for (const { name, packed } of files) expect(readFileSync(join(folder, name))).toEqual(packed);
    },
  );
});
