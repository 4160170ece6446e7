import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { readersFolder, setUpReaders } from './readers.mjs';

const cache = mkdtempSync(path.join(os.tmpdir(), 'lockstep-readers-'));

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

it('are not fetched where LOCKSTEP_OFFLINE is set, which is said', async () => {
  vi.stubEnv('LOCKSTEP_CACHE', cache);
  vi.stubEnv('LOCKSTEP_OFFLINE', '1');
  await expect(setUpReaders()).rejects.toThrow(
    /^tensorboard==.* and prometheus_client==.* have to be downloaded, and LOCKSTEP_OFFLINE is set$/,
  );
  expect(existsSync(path.dirname(readersFolder()))).toBe(false);
});
