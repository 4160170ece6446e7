import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readPageKey } from './page-key.js';

const root = mkdtempSync(path.join(tmpdir(), 'lockstep-page-key-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('keeps the key for the next run, readable by its owner alone', () => {
  const folder = path.join(root, 'cache');
  const key = readPageKey(folder);
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(readPageKey(folder)).toBe(key);
  if (process.platform !== 'win32') expect(statSync(path.join(folder, 'page-key')).mode & 0o777).toBe(0o600);
});

it.skipIf(process.platform === 'win32')('takes another in place of one that others can read', () => {
  const folder = path.join(root, 'open');
  const key = readPageKey(folder);
  chmodSync(path.join(folder, 'page-key'), 0o644);
  const other = readPageKey(folder);
  expect(other).not.toBe(key);
  expect(readPageKey(folder)).toBe(other);
});

it('has one for this process where none can be kept', () => {
  writeFileSync(path.join(root, 'file'), '');
  expect(readPageKey(path.join(root, 'file'))).toMatch(/^[0-9a-f]{64}$/);
});
