import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findRunWeights, LATEST_PATH } from './find-run.js';

const home = process.cwd();
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-latest-'));
  process.chdir(folder);
  mkdirSync('runs');
});
afterEach(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

it.each(['a\0b', 'a\nb', '', 'a'.repeat(5000)])(
  'issue 25: latest is no run where its file holds no name: %j',
  (text) => {
    writeFileSync(LATEST_PATH, text);
    expect(() => findRunWeights('latest')).toThrow(
      'LOCKSTEP_WEIGHTS_READ: cannot read --weights latest: runs/latest does not hold the name of a folder',
    );
  },
);
