import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MAX_TEXT_BYTES } from './json-text.js';
import { readText } from './text-file.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-text-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('gives the text of a file of any length, also where a letter lies across two pieces', () => {
  const path = join(folder, 'text');
  for (const text of ['', 'a', `a${'щ'.repeat(100_000)}`]) {
    writeFileSync(path, text);
    expect(readText(path)).toBe(text);
  }
});

it('issue 25: reads no further than the longest text', () => {
  const path = join(folder, 'long');
  writeFileSync(path, new Uint8Array(MAX_TEXT_BYTES));
  expect(readText(path)).toHaveLength(MAX_TEXT_BYTES);
  const message = `${path} has more than 64 MiB, so it is no such file`;
  writeFileSync(path, new Uint8Array(MAX_TEXT_BYTES + 1));
  expect(() => readText(path)).toThrow(expect.objectContaining({ code: 'EFBIG', message }));
});

it.runIf(process.platform === 'linux')('issue 25: ends at a device that does not', () => {
  expect(() => readText('/dev/zero')).toThrow(expect.objectContaining({ code: 'EFBIG' }));
});

it('throws what node:fs throws', () => {
  mkdirSync(join(folder, 'sub'));
  expect(() => readText(join(folder, 'sub'))).toThrow(expect.objectContaining({ code: 'EISDIR' }));
  expect(() => readText(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
