import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './bootstrap.mjs';

it('cases: work 32: fetches nothing under LOCKSTEP_OFFLINE, and says in one line what it would have', () => {
  const cache = path.join(os.tmpdir(), `lockstep-no-clusters-${process.pid}`);
  const env = { ...process.env, LOCKSTEP_CACHE: cache, LOCKSTEP_OFFLINE: '1' };
  const script = path.join(ROOT, 'tools', 'setup-clusters.mjs');
  const { status, stderr, stdout } = spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
  expect(stderr).toMatch(
    /^setup: FAILED: LOCKSTEP_OFFLINE is set, and these would have to be downloaded: ray==.*helm@v[\d.]+\n$/,
  );
  expect([status, stdout, existsSync(cache)]).toEqual([1, '', false]);
});
