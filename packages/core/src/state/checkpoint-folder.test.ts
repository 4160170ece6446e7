import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCheckpoint, listCheckpoints, readCheckpoint } from './checkpoint-folder.js';
import {
  prepareCheckpointFolder,
  removeCheckpoints,
  tidyCheckpointFolder,
  type WritePoint,
  writeCheckpoint,
} from './checkpoint-writing.js';
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

describe('a writer that is killed', () => {
  /** What a kill at each point leaves: a copy of the folder. */
  const killAt = (write: (at: (point: WritePoint) => void) => void): Map<WritePoint, string> => {
    const left = new Map<WritePoint, string>();
    write((point) => {
      const copy = mkdtempSync(join(tmpdir(), 'lockstep-killed-'));
      cpSync(folder, copy, { recursive: true });
      left.set(point, copy);
    });
    return left;
  };
  const secondsOf = (path: string): number => findCheckpoint(path).checkpoint.info.epochSeconds;
  const versioned = (step: number, epochSeconds: number) => {
    const checkpoint = makeCheckpoint(step);
    return { ...checkpoint, info: { ...checkpoint.info, epochSeconds } };
  };

  it.each([
    ['whole', false],
    ['damaged', true],
  ])('cases: work 11: leaves a whole copy at every point, where the old one is %s', (_, isDamaged) => {
    write(3);
    const old = writeCheckpoint(folder, versioned(5, 1));
    if (isDamaged) truncateSync(tensorsOf(old), 10);
    const left = killAt((at) => writeCheckpoint(folder, versioned(5, 2), at));
    expect([...left.keys()]).toEqual(['synced', 'aside', 'moved']);
    for (const [point, copy] of left) {
      const isOld = point === 'synced';
      const expected = isOld ? (isDamaged ? makeCheckpoint(3).info.epochSeconds : 1) : 2;
      expect(listCheckpoints(copy)).toEqual([3, 5]);
      expect([point, secondsOf(copy)]).toEqual([point, expected]);
      tidyCheckpointFolder(copy);
      expect([point, secondsOf(copy)]).toEqual([point, expected]);
      expect(readdirSync(copy)).toEqual(['step-0000000003', 'step-0000000005']);
      rmSync(copy, { recursive: true });
    }
    expect(secondsOf(folder)).toBe(2);
    expect(readdirSync(folder)).toEqual(['step-0000000003', 'step-0000000005']);
  });

  it('gives the old one its name back when the new one turns out not to be whole', () => {
    writeCheckpoint(folder, versioned(5, 1));
    const left = killAt((at) => writeCheckpoint(folder, versioned(5, 2), at));
    const copy = left.get('aside') as string;
    truncateSync(tensorsOf(join(copy, `.step-0000000005.${process.pid}.tmp`)), 10);
    expect(secondsOf(copy)).toBe(1);
    tidyCheckpointFolder(copy);
    expect([secondsOf(copy), readdirSync(copy)]).toEqual([1, ['step-0000000005']]);
    for (const path of left.values()) rmSync(path, { recursive: true });
  });

  it.each(['synced', 'aside'])('or that fails at the point "%s" leaves what was there', (failing) => {
    writeCheckpoint(folder, versioned(5, 1));
    const fail = (point: WritePoint): void => {
      if (point === failing) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    expect(() => writeCheckpoint(folder, versioned(5, 2), fail)).toThrow('the disk is full');
    expect([secondsOf(folder), readdirSync(folder)]).toEqual([1, ['step-0000000005']]);
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

  it('does not see what a writer left half done, and tidyCheckpointFolder removes it', () => {
    const [path] = write(4) as [string];
    cpSync(path, join(folder, '.step-0000000005.99.tmp'), { recursive: true });
    expect(findCheckpoint(folder).checkpoint.info.step).toBe(4);
    tidyCheckpointFolder(folder);
    expect(readdirSync(folder)).toEqual(['step-0000000004']);
  });

  it('fails when there is none, and lists the damaged ones', () => {
    expect(() => findCheckpoint(join(folder, 'nowhere'))).toThrow(
      `LOCKSTEP_CHECKPOINT_NONE: no checkpoint to resume in ${join(folder, 'nowhere')}: there is no such folder. ` +
        'Give the folder that a run wrote with --checkpoint; that of a run itself, such as runs/tiny6k-seed1, is for --weights.',
    );
    expect(() => findCheckpoint(folder)).toThrow(`no checkpoint to resume in ${folder}: there are none.`);
    write(4, 7);
    expect(() => findCheckpoint(join(folder, 'step-0000000005'))).toThrow(
      `there is no such folder. ${folder} has those of steps 4, 7.`,
    );
    rmSync(folder, { recursive: true });
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
