import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FileSink } from './file-sink.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-sink-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('FileSink', () => {
  it('writes pieces in the order given, text and bytes, and makes the folder', async () => {
    const file = path.join(folder, 'a/b/log');
    const sink = await FileSink.open(file, '--log-file');
    for (let i = 0; i < 1000; i++) sink.write(i % 2 === 0 ? `${i}\n` : Buffer.from(`${i}\n`));
    await sink.close();
    expect(readFileSync(file, 'utf8')).toBe(Array.from({ length: 1000 }, (_, i) => `${i}\n`).join(''));
  });

  it('goes on when its moment of waiting ends with nothing left to write', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const file = path.join(folder, 'quiet');
    const sink = await FileSink.open(file, '--trace');
    sink.write('first ');
    vi.advanceTimersByTime(1000);
    // leaves after the write that is under way, and not when its own moment is over
    sink.write('second ');
    while (readFileSync(file, 'utf8') !== 'first second ') await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(1000);
    sink.write('third');
    await sink.close();
    expect(readFileSync(file, 'utf8')).toBe('first second third');
  });

  it('leaves pieces out, whole, rather than keep more than 16 MiB in memory', async () => {
    const file = path.join(folder, 'many');
    const sink = await FileSink.open(file, '--trace');
    const piece = 'x'.repeat(2 ** 20);
    const taken = Array.from({ length: 20 }, () => sink.write(piece));
    expect(taken.filter(Boolean)).toHaveLength(16);
    expect(sink.leftOut).toBe(4);
    await sink.close();
    expect(readFileSync(file)).toHaveLength(16 * 2 ** 20);
  });

  it.skipIf(!existsSync('/dev/full'))(
    'throws what a write failed with, when written to and when closed (needs /dev/full)',
    async () => {
      const sink = await FileSink.open('/dev/full', '--trace');
      sink.write('a');
      await expect(sink.close()).rejects.toThrow('ENOSPC');
      expect(() => sink.write('b')).toThrow('ENOSPC');
    },
  );

  it('says before the run that a path cannot be written', async () => {
    await expect(FileSink.open('/proc/none/trace.json', '--trace')).rejects.toThrow(
      'LOCKSTEP_SAVE_PATH: cannot write --trace /proc/none/trace.json: its folder cannot be made.',
    );
  });
});
