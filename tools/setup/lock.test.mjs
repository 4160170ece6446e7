import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { acquireLock, identify } from './lock.mjs';
import { SetupError } from './report.mjs';

let folder;
let file;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-lock-'));
  file = path.join(folder, 'lock');
});

afterEach(() => rmSync(folder, { recursive: true }));

function leaveLock(pid, more = {}) {
  writeFileSync(file, JSON.stringify({ ...identify(pid), since: '2020-01-01T00:00:00.000Z', ...more }));
}

function age() {
  const old = new Date(Date.now() - 61_000);
  utimesSync(file, old, old);
}

async function expectWait() {
  const interrupt = new AbortController();
  const waiting = acquireLock(file, { onWait: () => interrupt.abort(), signal: interrupt.signal });
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  expect(existsSync(file)).toBe(true);
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

const atOnce = { onWait: () => expect.unreachable('must not wait') };

async function expectTakenOver() {
  const release = await acquireLock(file, atOnce);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ ...identify(process.pid), since: expect.any(String) });
  expect(readFileSync(file, 'utf8')).not.toContain('2020-01-01');
  release();
  expect(readdirSync(folder)).toEqual([]);
}

it('takes over the lock of a process that died', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  leaveLock(pid);
  const release = await acquireLock(file, atOnce);
  release();
  expect(readdirSync(folder)).toEqual([]);
});

it.runIf(process.platform === 'linux')(
  'takes over the lock of a process whose number another one has now',
  async () => {
    leaveLock(process.pid, { began: '1' });
    await expectTakenOver();
  },
);

it.runIf(process.platform === 'linux')(
  'waits for a process that lives, though it stands still or the clock has jumped',
  async () => {
    leaveLock(process.pid);
    age();
    await expectWait();
  },
);

it('takes over a lock of another host or boot that nobody touched for over a minute', async () => {
  for (const elsewhere of [{ host: 'another-host' }, { place: 'an earlier boot' }]) {
    leaveLock(process.pid, elsewhere);
    age();
    await expectTakenOver();
  }
});

it('takes over a lock that was only half written', async () => {
  writeFileSync(file, 'half a li');
  age();
  await expectTakenOver();
});

it('says that a lock cannot be read, where it looked for ever', async () => {
  mkdirSync(file);
  await expect(acquireLock(file)).rejects.toThrow(SetupError);
  await expect(acquireLock(file)).rejects.toThrow(/^the lock .* cannot be read: EISDIR/);
});

it('waits for a process of another host, whose number means nothing here, until it is told to stop', async () => {
  leaveLock(2 ** 22 - 1, { host: 'another-host' });
  await expectWait();
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
