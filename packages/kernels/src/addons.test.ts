import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadFile } from './addons.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-addons-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('says of an addon that cannot be loaded which file it is, and how to go on', () => {
  const path = join(folder, 'lockstep-avx2.node');
  writeFileSync(path, 'no program');
  expect(() => loadFile(path)).toThrow(
    expect.objectContaining({
      code: 'LOCKSTEP_KERNELS',
      message: expect.stringMatching(
        /lockstep-avx2\.node cannot be loaded: (?!\/).+\. Remove that file, and npm run build /,
      ),
    }),
  );
});
