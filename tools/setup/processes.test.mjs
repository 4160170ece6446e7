import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { run } from './processes.mjs';

let folder;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-processes-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

it.runIf(process.platform !== 'win32')(
  'ends a command with all that it has started, and does not wait for it',
  async () => {
    const interrupt = new AbortController();
    const begun = path.join(folder, 'begun');
    // as g++ starts cc1plus, which has its stdout and outlives it
    const script = 'sleep 30 & : > "$0"; wait';
    const running = run('sh', ['-c', script, begun], { signal: interrupt.signal, isGroup: true });
    running.catch(() => {});
    await vi.waitFor(() => expect(existsSync(begun)).toBe(true), 10_000);
    interrupt.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  },
);
