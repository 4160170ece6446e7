import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FolderLock, LOCK_FILE } from './folder-lock.js';
import { identifyProcess, judgeProcess, type ProcessIdentity } from './process-identity.js';

let folder = '';
let warnings: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-lock-'));
  warnings = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const lockPath = (): string => join(folder, LOCK_FILE);
const take = (run: string, silentMs?: number): Promise<FolderLock> =>
  FolderLock.take(folder, { run, silentMs, onWarning: ({ message }) => warnings.push(message) });
const writeLock = (process: ProcessIdentity): void =>
  writeFileSync(lockPath(), JSON.stringify({ id: 'theirs', run: 'other, seed 2', since: 'today', process }));
const age = (seconds: number): void => {
  const then = Date.now() / 1000 - seconds;
  utimesSync(lockPath(), then, then);
};
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid;

it('cases: work 9: a folder is one run’s, and the error says whose', async () => {
  const first = await take('tiny6k, seed 1');
  await expect(take('tiny6k, seed 2')).rejects.toThrow(
    new RegExp(
      `^LOCKSTEP_CHECKPOINT_LOCKED: ${folder} belongs to the run of tiny6k, seed 1 \\(process ${process.pid} on .+, since .+\\)\\. Wait for its end, or choose another --checkpoint folder\\.$`,
    ),
  );
  first.release();
  expect(readdirSync(folder)).toEqual([]);
  const second = await take('tiny6k, seed 2');
  first.release();
  expect(second.isHeld()).toBe(true);
  second.release();
});

it('is taken by one of many who come at once, also over the lock of a dead process', async () => {
  writeLock({ ...identifyProcess(), pid: deadPid() });
  const results = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => take(`run ${i}`)));
  const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  expect(locks.map((lock) => lock.isHeld())).toEqual([true]);
  for (const lock of locks) lock.release();
  expect(readdirSync(folder)).toEqual([]);
  expect(warnings).toEqual([]);
});

it('of a dead process is taken over, and so is one whose number another process has by now', async () => {
  writeLock({ ...identifyProcess(), pid: deadPid() });
  (await take('a')).release();
  const { started, ...me } = identifyProcess();
  expect(judgeProcess({ ...me, started })).toBe('alive');
  // where the system says when a process began
  if (started === undefined) return;
  writeLock({ ...me, started: 'at another time' });
  (await take('b')).release();
  expect(warnings).toEqual([]);
});

it('of another machine is taken over when nobody has touched it for a minute, and that is told', async () => {
  writeLock({ pid: 1, host: 'elsewhere' });
  age(61);
  (await take('a')).release();
  expect(warnings).toEqual([
    `${folder}: the run of other, seed 2 (process 1 on elsewhere, since today) had this folder and gives no sign of life; this run takes it over.`,
  ]);
});

it('of another machine is waited for, and refused when it is touched meanwhile', async () => {
  writeLock({ pid: 1, host: 'elsewhere' });
  age(0);
  const waiting = take('a', 200);
  // before the wait is over, as the holder does
  age(100);
  await expect(waiting).rejects.toThrow('belongs to the run of other, seed 2 (process 1 on elsewhere, since today)');
  expect(warnings).toEqual([expect.stringMatching(/waiting 1 s for a sign of life\.$/)]);
});

it('of another boot or container says nothing about a process of that number here', () => {
  const me = identifyProcess();
  expect(judgeProcess({ ...me, boot: 'another' })).toBe('unknown');
  expect(judgeProcess({ ...me, namespace: 'another' })).toBe('unknown');
  expect(judgeProcess({ ...me, host: 'another' })).toBe('unknown');
});

it('that is half written or none of ours is judged by its age', async () => {
  writeFileSync(lockPath(), '{"id":');
  age(61);
  (await take('a')).release();
  expect(warnings).toEqual([
    `${folder}: another run had this folder and gives no sign of life; this run takes it over.`,
  ]);
});

it('knows when the folder was taken over from it, and then leaves the other’s lock alone', async () => {
  const lock = await take('a');
  writeLock({ pid: 1, host: 'elsewhere' });
  expect(lock.isHeld()).toBe(false);
  lock.release();
  expect(readFileSync(lockPath(), 'utf8')).toContain('theirs');
});
