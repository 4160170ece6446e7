import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataFolder, makeGrey } from './test-data-folder.js';
import { makeClassFiles, makePlain, makePng, writeFiles } from './test-images.js';

let place: DataFolder;
beforeEach(() => {
  place = new DataFolder();
});
afterEach(() => {
  place.remove();
});

describe('the cache', () => {
  const cached = (): string =>
    join(place.folder, 'cache/data', readdirSync(join(place.folder, 'cache/data'))[0] as string);

  beforeEach(() => {
    writeFiles(place.data, makeClassFiles(['a', 'b'], 15, makeGrey));
  });

  it('gives the same dataset the second time, without reading the images again', async () => {
    const first = await place.open();
    const phases: string[] = [];
    const second = await place.open({ onProgress: ({ phase }) => phases.push(phase) });
    expect(second).toEqual(first);
    expect(new Set(phases)).toEqual(new Set(['checking']));
    expect(place.warnings).toEqual([]);
  });

  it('does not outlive a change of a file', async () => {
    const first = await place.open();
    writeFiles(place.data, { 'a/0.png': makePng(makePlain(1, 4, 3)) });
    const second = await place.open();
    expect(second.checksum).not.toBe(first.checksum);
    expect(readdirSync(join(place.folder, 'cache/data'))).toHaveLength(2);
  });

  it('is written anew when it is damaged, with a warning', async () => {
    const first = await place.open();
    const path = join(cached(), 'train-images-ubyte');
    const bytes = readFileSync(path);
    bytes[40] = (bytes[40] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(await place.open()).toEqual(first);
    expect(place.warnings).toEqual([
      `LOCKSTEP_DATA_CACHE: ${cached()} does not have the checksum that it was written with; it is written anew.`,
    ]);
    writeFileSync(path, bytes.subarray(0, 100));
    expect(await place.open()).toEqual(first);
    expect(place.warnings[1]).toMatch(
      /^LOCKSTEP_DATA_CACHE: the cached data in .* cannot be used \(LOCKSTEP_DATA_SIZE: /,
    );
    expect(await place.open()).toEqual(first);
    expect(place.warnings).toHaveLength(2);
  });

  it('is written anew when another version has written it, or it is cut, with one line', async () => {
    const first = await place.open();
    const path = join(cached(), 'dataset.json');
    const { reading: _, ...other } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...other, classNames: [1, 2] }));
    expect(await place.open()).toEqual(first);
    writeFileSync(path, '');
    expect(await place.open()).toEqual(first);
    expect(await place.open()).toEqual(first);
    expect(place.warnings).toEqual([
      `LOCKSTEP_DATA_CACHE: ${path} was written by another version of lockstep, or damaged (classNames.0); it is written anew.`,
      `LOCKSTEP_DATA_CACHE: ${path} is damaged (line 1, column 1: expected a value but found the end of the file); it is written anew.`,
    ]);
  });

  it('costs a warning when it cannot be written', async () => {
    writeFileSync(join(place.folder, 'cache'), 'a file');
    expect((await place.open()).train.count).toBe(27);
    expect(place.warnings).toEqual([
      expect.stringMatching(/^LOCKSTEP_DATA_CACHE: the data cannot be kept in .*(EEXIST|ENOTDIR)/),
    ]);
  });
});
