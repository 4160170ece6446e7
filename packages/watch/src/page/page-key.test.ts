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
  const lines: string[] = [];
  const other = readPageKey(folder, (line) => lines.push(line));
  expect(other).not.toBe(key);
  expect(lines).toEqual([expect.stringMatching(/page-key, could be read by others: a new one is in its place/)]);
  expect(readPageKey(folder)).toBe(other);
});

it('says what it replaces, and nothing where no key was', () => {
  const folder = path.join(root, 'damaged');
  const lines: string[] = [];
  const tell = (line: string): void => void lines.push(line);
  readPageKey(folder, tell);
  expect(lines).toEqual([]);
  writeFileSync(path.join(folder, 'page-key'), 'half a k');
  const key = readPageKey(folder, tell);
  expect(lines).toEqual([expect.stringMatching(/page-key, held no key: a new one is in its place/)]);
  expect(readPageKey(folder, tell)).toBe(key);
  expect(lines).toHaveLength(1);
});

it('has one for this process where none can be kept', () => {
  writeFileSync(path.join(root, 'file'), '');
  expect(readPageKey(path.join(root, 'file'))).toMatch(/^[0-9a-f]{64}$/);
});
