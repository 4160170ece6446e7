import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  findCheckpoint,
  listCheckpoints,
  prepareCheckpointFolder,
  readCheckpoint,
  removeCheckpoints,
  writeCheckpoint,
} from './checkpoint-folder.js';
import { makeCheckpoint } from './test-checkpoint.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-checkpoint-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const write = (...steps: number[]): string[] => steps.map((step) => writeCheckpoint(folder, makeCheckpoint(step)));
const tensorsOf = (path: string): string => join(path, 'tensors.safetensors');

describe('writeCheckpoint', () => {
  it('makes one folder with two files and leaves nothing else', () => {
    const deep = join(folder, 'a', 'b');
    const path = writeCheckpoint(deep, makeCheckpoint(12));
    expect(path).toBe(join(deep, 'step-0000000012'));
    expect(readdirSync(deep)).toEqual(['step-0000000012']);
    expect(readdirSync(path).sort()).toEqual(['checkpoint.json', 'tensors.safetensors']);
    expect(readCheckpoint(path)).toEqual(makeCheckpoint(12));
  });

  it('replaces a damaged one of the same step', () => {
    const [path] = write(5) as [string];
    truncateSync(tensorsOf(path), 10);
    write(5);
    expect(readCheckpoint(path)).toEqual(makeCheckpoint(5));
    expect(readdirSync(folder)).toEqual(['step-0000000005']);
  });

  it('says why it cannot, and leaves nothing half done', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => writeCheckpoint(file, makeCheckpoint(1))).toThrow(
      `LOCKSTEP_CHECKPOINT_WRITE: cannot write checkpoint ${join(file, 'step-0000000001')}: a part of the path is a file. ` +
        'Earlier checkpoints are untouched; make room, or choose another --checkpoint folder.',
    );
    expect(() => prepareCheckpointFolder(join(file, 'below'))).toThrow('LOCKSTEP_CHECKPOINT_WRITE');
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

describe('findCheckpoint', () => {
  it('takes the newest, by number and not by text', () => {
    write(9, 10, 2);
    mkdirSync(join(folder, 'step-12345678901'));
    expect(listCheckpoints(folder)).toEqual([2, 9, 10, 12_345_678_901]);
    const { path, checkpoint, skipped } = findCheckpoint(folder);
    expect(path).toBe(join(folder, 'step-0000000010'));
    expect(checkpoint).toEqual(makeCheckpoint(10));
    expect(skipped).toHaveLength(1);
  });

  it('takes a single checkpoint as well', () => {
    const [, path] = write(1, 2, 3) as [string, string];
    expect(findCheckpoint(path).checkpoint.info.step).toBe(2);
  });

  it('skips damaged ones and says which and why', () => {
    const [, second, third] = write(1, 2, 3) as [string, string, string];
    truncateSync(tensorsOf(third), 77);
    rmSync(join(second, 'checkpoint.json'));
    const { path, skipped } = findCheckpoint(folder);
    expect(path).toBe(join(folder, 'step-0000000001'));
    expect(skipped[0]).toMatch(/step-0000000003 cannot be used: its tensors have 77 bytes, expected \d+\.$/);
    expect(skipped[1]).toBe(`${second} cannot be used: checkpoint.json is not there.`);
  });

  it('does not see what a writer left half done, and prepareCheckpointFolder removes it', () => {
    const [path] = write(4) as [string];
    cpSync(path, join(folder, '.step-0000000005.99.tmp'), { recursive: true });
    expect(findCheckpoint(folder).checkpoint.info.step).toBe(4);
    prepareCheckpointFolder(folder);
    expect(readdirSync(folder)).toEqual(['step-0000000004']);
  });

  it('fails when there is none, and lists the damaged ones', () => {
    expect(() => findCheckpoint(join(folder, 'nowhere'))).toThrow(
      `LOCKSTEP_CHECKPOINT_NONE: no checkpoint to resume in ${join(folder, 'nowhere')}: there are none. ` +
        'Give the folder that a run wrote with --checkpoint.',
    );
    truncateSync(tensorsOf(write(1)[0] as string), 1);
    expect(() => findCheckpoint(folder)).toThrow(
      /: none is whole: .*step-0000000001 cannot be used: its tensors have 1 /,
    );
  });
});

it('removes checkpoints, and does not mind those that are not there', () => {
  write(1, 2, 3);
  removeCheckpoints(folder, [1, 3, 99]);
  expect(readdirSync(folder)).toEqual(['step-0000000002']);
});
