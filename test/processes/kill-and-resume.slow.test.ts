import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { seedOr } from '../support/seed.ts';
import { killAndResume, killWriters } from './kill-and-resume.js';

it.skipIf(process.platform === 'win32')(
  'a run killed at 20 random moments ends with the bits of one left alone',
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-kill-'));
    try {
      const seed = seedOr(4711);
      const { expected, got, resumedSteps } = await killAndResume(folder, 20, 80, seed);
      console.log(`seed ${seed}, resumed at steps ${resumedSteps.join(' ')}: ${got}`);
      expect(got).toBe(expected);
      expect(resumedSteps).toHaveLength(20);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

it.skipIf(process.platform === 'win32')('a writer killed 50 times loses nothing that it had written', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-kill-'));
  try {
    await killWriters(folder, 50, 6);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
