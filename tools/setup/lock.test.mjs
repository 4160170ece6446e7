import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { acquireLock } from './lock.mjs';

let folder;
let file;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-lock-'));
  file = path.join(folder, 'lock');
});

afterEach(() => rmSync(folder, { recursive: true }));

function leaveLock(pid, host) {
  writeFileSync(file, JSON.stringify({ pid, host, since: '2020-01-01T00:00:00.000Z' }));
}

it('is there while held and gone afterwards', async () => {
  const release = await acquireLock(file);
  expect(existsSync(file)).toBe(true);
  release();
  expect(readdirSync(folder)).toEqual([]);
});

it('lets the second wait until the first gives it back, and tells it who holds it', async () => {
  const order = [];
  const release = await acquireLock(file);
  const second = acquireLock(file, {
    onWait: ({ pid }) => {
      order.push(`waits for ${pid}`);
      release();
    },
  }).then((releaseSecond) => {
    order.push('has it');
    releaseSecond();
  });
  await second;
  expect(order).toEqual([`waits for ${process.pid}`, 'has it']);
});

it('takes over the lock of a process that died', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  leaveLock(pid, os.hostname());
  const release = await acquireLock(file, { onWait: () => expect.unreachable('must not wait') });
  release();
  expect(readdirSync(folder)).toEqual([]);
});

it('takes over a lock that nobody touched for over a minute, whoever it names', async () => {
  leaveLock(process.pid, 'another-host');
  const old = new Date(Date.now() - 61_000);
  utimesSync(file, old, old);
  const release = await acquireLock(file, { onWait: () => expect.unreachable('must not wait') });
  release();
});

it('takes over a lock that cannot be read', async () => {
  writeFileSync(file, 'half a li');
  const old = new Date(Date.now() - 61_000);
  utimesSync(file, old, old);
  (await acquireLock(file))();
});

it('waits for a process of another host, whose number means nothing here, until it is told to stop', async () => {
  leaveLock(2 ** 22 - 1, 'another-host');
  const interrupt = new AbortController();
  const waiting = acquireLock(file, { onWait: () => interrupt.abort(), signal: interrupt.signal });
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  expect(existsSync(file)).toBe(true);
});

it('lets only one in at a time when many ask at once', async () => {
  let inside = 0;
  let most = 0;
  const enter = async () => {
    const release = await acquireLock(file);
    most = Math.max(most, ++inside);
    await new Promise(setImmediate);
    inside--;
    release();
  };
  await Promise.all(Array.from({ length: 5 }, enter));
  expect(most).toBe(1);
});
