import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkOutputPath } from './output-path.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-output-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('makes the folders of a path and leaves no file in them', () => {
  checkOutputPath(join(folder, 'a', 'b', 'w.safetensors'));
  expect(readdirSync(join(folder, 'a', 'b'))).toEqual([]);
});

it('leaves a file that is there as it is', () => {
  const path = join(folder, 'w.safetensors');
  writeFileSync(path, 'old');
  checkOutputPath(path);
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['w.safetensors']);
});

it('rejects a path that is a folder', () => {
  expect(() => checkOutputPath(folder)).toThrow(
    `LOCKSTEP_SAVE_PATH: cannot write --save ${folder}: it is a folder. Choose another path, or --no-save.`,
  );
});

it('rejects a path through a file', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => checkOutputPath(join(folder, 'file', 'w.safetensors'))).toThrow('a part of its folder is a file');
});

it.runIf(existsSync('/proc/self'))('comes back where no folder can be made', () => {
  expect(() => checkOutputPath('/proc/lockstep/w.safetensors')).toThrow(/its folder cannot be made|permission denied/);
});
