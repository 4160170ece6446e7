/** What is and is not said of MNIST when only the embedded sample is here. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { SMALL_IMAGES, writeSample } from '../support/small-run.ts';

/** Mirrors are tried first, and may take their time to be out of reach. */
const TEST_MS = 60_000;

describe('on the embedded sample', { timeout: TEST_MS }, () => {
  const before = { ...process.env };
  let folder = '';

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lockstep-sample-'));
    Object.assign(process.env, { LOCKSTEP_OFFLINE: '1', LOCKSTEP_CACHE: folder });
    await writeSample(path.join(folder), SMALL_IMAGES, 50);
  });
  afterAll(() => {
    process.env = before;
    rmSync(folder, { recursive: true });
  });

  async function run(...argv: string[]): Promise<{ code: number; io: RecordingIo }> {
    const io = new RecordingIo();
    const code = await main(argv, io);
    return { code, io };
  }

  it('cases: work 26: speedrun and reproduce refuse to claim anything about MNIST', async () => {
    for (const command of [
      ['speedrun', '--runs', '1'],
      ['reproduce', 'tiny6k', '--out', path.join(folder, 'report')],
    ]) {
      const { code, io } = await run(...command);
      expect(code).toBe(2);
      expect(io.stdout.text).toBe('');
      expect(io.stderr.lines.at(-1)).toMatch(
        /LOCKSTEP_DATA_SAMPLE: .* on MNIST's 10,000 test images, and here is only the embedded sample: 1,500 images/,
      );
    }
  });

  it('cases: work 26: evaluate says of which weights the images are not new', async () => {
    const note = "note: the 1,500 test images of the sample are of MNIST's training set";
    for (const [flags, isSaid] of [
      [['--data', folder], true],
      [['--validation', '100'], false],
    ] as const) {
      const weights = path.join(folder, 'w.safetensors');
      expect((await run('train', 'sprint33k', '--steps', '1', '--save', weights, ...flags)).code).toBe(0);
      const { code, io } = await run('evaluate', '--weights', weights, '--json');
      expect(code).toBe(0);
      expect(io.stderr.text.includes(note)).toBe(isSaid);
      expect(JSON.parse(io.stdout.text)).toMatchObject({ data: expect.stringContaining('which Lockstep has with it') });
    }
  });

  it('cases: work 30: --resize brings it to another size, and flags of CSV files are refused', async () => {
    const { code, io } = await run('train', 'lenet5', '--resize', '20x24', '--dry-run');
    expect(code).toBe(0);
    expect(io.stderr.text).toMatch(/lenet5 was changed to fit the data: .*20x24/);
    for (const [flag, value] of [
      ['--csv-shape', '1x28x28'],
      ['--label-column', 'first'],
      ['--csv-layout', 'hwc'],
    ] as const) {
      const refused = await run('train', flag, value, '--dry-run');
      expect(refused.code).toBe(2);
      expect(refused.io.stderr.lines.at(-1)).toContain(`${flag} says how to read a CSV file: it needs --data as well`);
    }
  });
});

it('cases: work 27: says that threads far beyond the cores are no help', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-crowd-'));
  try {
    await writeSample(folder, SMALL_IMAGES, 50);
    for (const [cores, isSaid] of [
      [2, true],
      [3, false],
    ] as const) {
      const io = new RecordingIo();
      io.coreCount = cores;
      const run = ['train', 'sprint33k', '--data', folder, '--workers', '9', '--dry-run'];
      expect(await main(run, io)).toBe(0);
      const warning = `warning: --workers 9 on ${cores} cores: they take turns, and a step waits for the last of them.`;
      expect(io.stderr.text.includes(warning)).toBe(isSaid);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
