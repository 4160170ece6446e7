import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFileAtomically } from './atomic-file.js';

describe('writeFileAtomically', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lockstep-atomic-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes parts one after the other over what was there', () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'something longer');
    writeFileAtomically(path, [Uint8Array.of(97, 98), new Uint8Array(0), Uint8Array.of(99)]);
    expect(readFileSync(path, 'utf8')).toBe('abc');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('leaves what was there, and no temporary file, when it fails', () => {
    const path = join(folder, 'a');
    mkdirSync(path);
    writeFileSync(join(path, 'kept'), '');
    expect(() => writeFileAtomically(path, [Uint8Array.of(1)])).toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
    expect(readdirSync(folder)).toEqual(['a']);
    expect(readdirSync(path)).toEqual(['kept']);
  });
});
