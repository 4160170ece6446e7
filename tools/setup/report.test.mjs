import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { sayFailure } from './report.mjs';

afterEach(() => void vi.restoreAllMocks());

it.runIf(process.platform === 'linux')('goes on when the disk under what it says is full', () => {
  const full = openSync('/dev/full', 'w');
  const script = `const { say } = await import('${new URL('./report.mjs', import.meta.url)}');
    for (let i = 0; i < 3; i++) { say('words'); await new Promise(setImmediate); }
    console.log('done');`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', full],
    encoding: 'utf8',
  });
  closeSync(full);
  expect([status, stdout]).toEqual([0, 'done\n']);
});

it('says what the system refused in its words, without a stack', () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  sayFailure(full);
  const [[said], ...more] = write.mock.calls;
  expect(said).toBe('setup: FAILED: ENOSPC: no space left on device, write\n');
  expect(more.flat().join('')).not.toContain(' at ');
});
