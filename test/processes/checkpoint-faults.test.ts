/** What a checkpoint survives: kill -9, a full disk, a folder that cannot be written. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderLock } from '../../packages/coordinator/dist/run/index.js';
import { findCheckpoint, listCheckpoints } from '../../packages/core/dist/state/index.js';
import { readEvents, startProgram, writeBars } from '../support/digit-bars.js';
import { seedOr } from '../support/seed.ts';
import { killAndResume, killWriters } from './kill-and-resume.js';

let folder = '';
let mounted: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-faults-'));
});

afterEach(() => {
  for (const mount of mounted.splice(0)) execFileSync('umount', [mount]);
  rmSync(folder, { recursive: true });
});

/** A file system of so many kilobytes; only root may make one. */
function mountSmall(kilobytes: number): string {
  const target = path.join(folder, 'small');
  mkdirSync(target);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', target]);
  mounted = [...mounted, target];
  return target;
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const target = mkdtempSync(path.join(tmpdir(), 'lockstep-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', target], { stdio: 'ignore' });
    execFileSync('umount', [target]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(target, { recursive: true });
  }
}

const isMountable = canMount();
const whyNot = isMountable ? '' : ' (skipped: only root on Linux can mount a small file system)';

describe.skipIf(process.platform === 'win32')('kill -9', () => {
  it('at 4 random moments, each time with another number of workers, does not change a bit', async () => {
    const seed = seedOr(20_261);
    const { expected, got, resumedSteps } = await killAndResume(folder, 4, 16, seed);
    expect(got, `seed ${seed}, resumed at ${resumedSteps}`).toBe(expected);
    expect(resumedSteps).toHaveLength(4);
    expect(new Set(resumedSteps).size).toBeGreaterThan(1);
  });

  // 50 times and more in kill-and-resume.slow.test.ts
  it('in the middle of writing, 8 times and more, loses nothing that was written', async () => {
    await killWriters(folder, 8, 3);
  });
});

it('cases: work 9: a second run in the folder of a first is refused, and touches none of its files', async () => {
  const target = path.join(folder, 'c');
  const log = path.join(folder, 'run.log');
  mkdirSync(target);
  writeFileSync(log, 'of the first\n');
  const lock = await FolderLock.take(target, { run: 'bars, seed 1', onWarning: () => {} });
  const model = writeBars(folder, 320, 40);
  const argv = ['train', model, '--data', folder, '--no-save', '--checkpoint', target, '--log-file', log];
  const { code, out, error } = await startProgram(folder, argv).finished;
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(error).toContain(
    `lockstep: LOCKSTEP_CHECKPOINT_LOCKED: ${target} belongs to the run of bars, seed 1 (process ${process.pid} on `,
  );
  expect(readFileSync(log, 'utf8')).toBe('of the first\n');
  expect(readdirSync(target)).toEqual(['run.lock']);
  lock.release();
});

describe('a full disk', () => {
  it.skipIf(!isMountable)(`costs a warning, not the run, nor what was written before${whyNot}`, async () => {
    const target = mountSmall(150);
    const model = writeBars(folder, 320, 40);
    const argv = ['train', model, '--data', folder, '--json', '--no-save', '--workers', '2', '--epochs', '6'];
    const result = await startProgram(folder, [...argv, '--checkpoint', path.join(target, 'c'), '--keep', '100'])
      .finished;
    expect(result.code).toBe(0);
    const events = readEvents(result);
    const warnings = events.filter(({ event }) => event === 'warning');
    expect(warnings.length).toBeGreaterThan(0);
    expect(warnings[0]).toMatchObject({ code: 'LOCKSTEP_CHECKPOINT_WRITE' });
    expect(warnings[0]?.['message']).toMatch(
      /^cannot write checkpoint .*\/c\/step-\d{10}: the disk is full\. Earlier checkpoints are untouched; make room, /,
    );
    const written = events.filter(({ event }) => event === 'checkpoint').map(({ step }) => step);
    expect(written.length).toBeGreaterThan(0);
    expect(listCheckpoints(path.join(target, 'c'))).toEqual(written);
    expect(findCheckpoint(path.join(target, 'c'))).toMatchObject({
      skipped: [],
      checkpoint: { info: { step: written.at(-1) } },
    });
    expect(readdirSync(path.join(target, 'c')).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('a folder that cannot be written', () => {
  const train = (checkpoint: string) => {
    const model = writeBars(folder, 320, 40);
    const argv = [
      'train',
      model,
      '--data',
      folder,
      '--checkpoint',
      checkpoint,
      '--save',
      path.join(folder, 'w.safetensors'),
    ];
    return startProgram(folder, argv).finished;
  };

  it.skipIf(!isMountable)(`as it is read-only, is refused before the run${whyNot}`, async () => {
    const target = mountSmall(64);
    execFileSync('mount', ['-o', 'remount,ro', target]);
    expect(await train(path.join(target, 'c'))).toEqual({
      code: 2,
      out: '',
      error:
        `lockstep: LOCKSTEP_CHECKPOINT_WRITE: cannot write checkpoint ${path.join(target, 'c')}: the file system is read-only. ` +
        'Earlier checkpoints are untouched; make room, or choose another --checkpoint folder.\n',
    });
    expect(existsSync(path.join(folder, 'w.safetensors'))).toBe(false);
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'for want of permission is refused before the run (skipped for root, who may write anywhere)',
    async () => {
      const target = path.join(folder, 'locked');
      mkdirSync(target);
      chmodSync(target, 0o555);
      const { code, error } = await train(target);
      expect(code).toBe(2);
      expect(error).toContain(`cannot write checkpoint ${target}: permission denied.`);
    },
  );

  it('as a file is in its place, is refused before the run', async () => {
    writeBars(folder, 320, 40);
    const { code, out, error } = await train(path.join(folder, 'bars.json', 'c'));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error).toContain('bars.json/c: a part of the path is a file.');
  });
});
