import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkWritable, writeFileAtomically } from './atomic-file.js';

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

  it.skipIf(process.platform === 'win32')(
    'cases: work 6: follows links, also to what is not there yet, and leaves them',
    () => {
      for (const name of ['old', 'new']) {
        symlinkSync(join(folder, `${name}.target`), join(folder, 'middle'));
        symlinkSync('middle', join(folder, name));
        if (name === 'old') writeFileSync(join(folder, 'old.target'), 'before');
        checkWritable(join(folder, name));
        writeFileAtomically(join(folder, name), [Buffer.from('after')]);
        expect(lstatSync(join(folder, name)).isSymbolicLink()).toBe(true);
        expect(lstatSync(join(folder, `${name}.target`)).isSymbolicLink()).toBe(false);
        expect(readFileSync(join(folder, `${name}.target`), 'utf8')).toBe('after');
        rmSync(join(folder, 'middle'));
      }
    },
  );

  it.skipIf(process.platform === 'win32')(
    'cases: work 6: writes through a device and a fifo, which stay what they are',
    () => {
      const device = '/dev/null';
      const before = statSync(device).ino;
      checkWritable(device);
      writeFileAtomically(device, [Buffer.from('gone')]);
      expect(statSync(device)).toMatchObject({ ino: before });
      const fifo = join(folder, 'fifo');
      execFileSync('mkfifo', [fifo]);
      const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
      checkWritable(fifo);
      writeFileAtomically(fifo, [Buffer.from('ab'), Buffer.from('c')]);
      const bytes = Buffer.alloc(8);
      expect(bytes.toString('utf8', 0, readSync(reader, bytes))).toBe('abc');
      closeSync(reader);
      expect(lstatSync(fifo).isFIFO()).toBe(true);
      expect(readdirSync(folder)).toEqual(['fifo']);
    },
  );

  it.skipIf(process.platform === 'win32')(
    'cases: work 6: writes on in a file that is open already, under /dev/fd',
    () => {
      const path = join(folder, 'log');
      const file = openSync(path, 'w');
      writeFileSync(file, 'lines, ');
      writeFileAtomically(`/dev/fd/${file}`, [Buffer.from('weights, ')]);
      writeFileSync(file, 'lines');
      closeSync(file);
      expect(readFileSync(path, 'utf8')).toBe('lines, weights, lines');
    },
  );

  it.skipIf(process.platform === 'win32')(
    'cases: work 6: no link that waits under a temporary name is followed',
    () => {
      const victim = join(folder, 'victim');
      writeFileSync(victim, 'kept');
      symlinkSync(victim, join(folder, `w.${process.pid}.tmp`));
      symlinkSync(victim, join(folder, `w.${process.pid}.probe`));
      checkWritable(join(folder, 'w'));
      writeFileAtomically(join(folder, 'w'), [Buffer.from('new')]);
      expect(readFileSync(victim, 'utf8')).toBe('kept');
      expect(readFileSync(join(folder, 'w'), 'utf8')).toBe('new');
    },
  );

  it.skipIf(process.platform === 'win32')('keeps the permissions of what it replaces', () => {
    const path = join(folder, 'secret');
    writeFileSync(path, 'old');
    chmodSync(path, 0o600);
    writeFileAtomically(path, [Buffer.from('new')]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('writes under the longest names', () => {
    const path = join(folder, 'n'.repeat(255));
    checkWritable(path);
    writeFileAtomically(path, [Buffer.from('new')]);
    expect(readFileSync(path, 'utf8')).toBe('new');
  });
});
