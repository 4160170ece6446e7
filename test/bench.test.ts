/** Runs the real bench commands for an instant: what they print, never how fast. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeIdxImages, encodeIdxLabels } from '../packages/core/dist/index.js';

const BIN = path.resolve(import.meta.dirname, '../packages/cli/dist/bin.js');
const SIDE = 8;
const TRAIN_COUNT = 300;
const TEST_COUNT = 100;

const model = {
  name: 'dots',
  input: { channels: 1, height: SIDE, width: SIDE },
  classes: 10,
  layers: [
    { type: 'conv', outChannels: 4, kernel: 3, padding: 1 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'maxPool', kernel: 2 },
    { type: 'flatten' },
    { type: 'linear', outFeatures: 10 },
  ],
};

interface PredictionRow {
  readonly nodes: number;
  readonly topology: string;
  readonly megabits: number | undefined;
  readonly delayMs: number | undefined;
}

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-bench-'));
  writeFileSync(path.join(folder, 'dots.json'), JSON.stringify(model));
  for (const [stem, count] of [
    ['train', TRAIN_COUNT],
    ['t10k', TEST_COUNT],
  ] as const) {
    const pixels = Uint8Array.from({ length: count * SIDE * SIDE }, (_, index) => (index * 37) % 256);
    const images = { count, channels: 1, height: SIDE, width: SIDE, pixels };
    const labels = Uint8Array.from({ length: count }, (_, index) => index % 10);
    writeFileSync(path.join(folder, `${stem}-images-idx3-ubyte`), encodeIdxImages(images));
    writeFileSync(path.join(folder, `${stem}-labels-idx1-ubyte`), encodeIdxLabels(labels));
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What the command prints on stdout. */
function bench(...args: string[]): string {
  const argv = [BIN, 'bench', ...args, '--data', folder];
  return execFileSync(process.execPath, argv, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const SHORT = ['--models', 'dots.json', '--seconds', '0.02', '--repetitions', '2'];

describe('lockstep bench', () => {
  it('measures every worker count against the peak of its cores, and draws it', () => {
    const report = JSON.parse(bench(...SHORT, '--workers', '1,2', '--json', '--picture', 'speed.svg'));
    expect(report).toMatchObject({ bench: 'speed', batchSize: 128, engine: 'native', repetitions: 2 });
    expect(report.machine.cores).toBeGreaterThan(0);
    const [{ figures, multiplyAdds, trainingFlopsPerImage }] = report.models;
    expect(multiplyAdds).toBe(4 * 9 * SIDE * SIDE + 64 * 10);
    expect(trainingFlopsPerImage).toBe(6 * multiplyAdds);
    expect(figures.map(({ workers }: { workers: number }) => workers)).toEqual([1, 2]);
    for (const { peakGigaflops, training } of figures) {
      const share = (training.imagesPerSecond.median * trainingFlopsPerImage) / 1e9 / peakGigaflops.median;
      expect(training.shareOfPeak).toBeCloseTo(share, 12);
      expect(training.imagesPerSecond.min).toBeLessThanOrEqual(training.imagesPerSecond.median);
    }
    expect(figures[0].training.scalingEfficiency).toBe(1);
    expect(readFileSync(path.join(folder, 'speed.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
  });

  it('prints a table with a line for each', () => {
    const lines = bench(...SHORT, '--workers', '3')
      .trimEnd()
      .split('\n');
    expect(lines[2]).toMatch(/^Model {2,}Workers {2,}Peak GFLOP\/s {2,}Training images\/s/);
    expect(lines[3]).toMatch(/^dots +3 /);
    expect(lines).toHaveLength(4);
  });

  it('times every op of a step, with shares that add up to one', () => {
    const { step } = JSON.parse(bench('kernels', 'dots.json', '--seconds', '0.01', '--json'));
    const ops = step.kernels.map(({ op }: { op: string }) => op);
    expect(ops[0]).toBe('input');
    expect(ops).toContain('convWeightGradient');
    expect(ops.at(-1)).toBe('update');
    const sum = step.kernels.reduce(
      (total: number, { shareOfStep }: { shareOfStep: number }) => total + shareOfStep,
      0,
    );
    expect(sum).toBeCloseTo(1, 9);
  });

  it('measures waiting as a share of the step', () => {
    const { rows } = JSON.parse(bench('sync', ...SHORT, '--workers', '1,3', '--json'));
    expect(rows.map(({ workers }: { workers: number }) => workers)).toEqual([1, 3]);
    for (const { waitingShare, idleShare } of rows) {
      for (const share of [waitingShare, idleShare]) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
      }
    }
    expect(rows[1].waitingShare).toBeGreaterThan(0);
  });

  it('measures what more workers gain over one, and the shares of a step, and draws it', () => {
    const argv = ['scaling', ...SHORT, '--workers', '3', '--json', '--picture', 'scaling.svg'];
    const { models } = JSON.parse(bench(...argv));
    expect(models[0].figures.map(({ workers }: { workers: number }) => workers)).toEqual([1, 3]);
    for (const { shares, imagesPerSecond } of models[0].figures) {
      expect(shares.contribute + shares.update + shares.wait).toBeCloseTo(1, 9);
      expect(imagesPerSecond.median).toBeGreaterThan(0);
    }
    expect(models[0].figures[0].speedUp).toEqual({ median: 1, min: 1, max: 1 });
    expect(readFileSync(path.join(folder, 'scaling.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
  });

  it('measures a watched run against one that is not, with every crowd before its page', () => {
    const argv = [
      'watching',
      '--models',
      'dots.json',
      '--seconds',
      '0.5',
      '--repetitions',
      '1',
      '--workers',
      '1',
      '--json',
    ];
    const { rows } = JSON.parse(bench(...argv));
    const crowds = ['nobody', 'one viewer', '50 viewers', 'a stalled viewer', 'a sender of rubbish'];
    expect(rows.map(({ crowd }: { crowd: string }) => crowd)).toEqual(crowds);
    for (const { plainImagesPerSecond, watchedImagesPerSecond, cost } of rows) {
      const expected = plainImagesPerSecond.median / watchedImagesPerSecond.median - 1;
      expect(cost.median).toBeCloseTo(expected, 9);
    }
  }, 180_000);

  it('measures memory in a process of its own', () => {
    const { rows } = JSON.parse(bench('memory', '--models', 'dots.json', '--workers', '1', '--json'));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ model: 'dots', workers: 1 });
    expect(rows[0].peakBytes).toBeGreaterThanOrEqual(rows[0].afterBytes);
    expect(rows[0].afterBytes).toBeGreaterThan(rows[0].beforeBytes);
  });

  it('calibrates, predicts from that, and compares with two nodes', () => {
    const calibration = path.join(folder, 'calibration.json');
    const { costs, rows } = JSON.parse(
      bench('predictions', ...SHORT, '--repetitions', '1', '--nodes', '1,2', '--json'),
    );
    expect(costs.models[0]).toMatchObject({ model: 'dots', shardSize: 16 });
    expect(costs.message.send).toBeGreaterThan(0);
    const isAsItIs = ({ megabits, delayMs }: PredictionRow): boolean => megabits === undefined && delayMs === undefined;
    const describeRows = (picked: PredictionRow[]): string[] =>
      picked.map(({ nodes, topology }) => `${nodes} ${topology}`);
    const ofTwo = ['2 auto', '2 star', '2 mesh'];
    expect(describeRows(rows.filter(isAsItIs))).toEqual(['1 star', ...ofTwo]);
    // where there are network namespaces, and where 127.0.77.1 is this machine
    const capped = rows.filter(({ megabits }: PredictionRow) => megabits === 100);
    const delayed = rows.filter(({ delayMs }: PredictionRow) => delayMs === 20);
    for (const some of [capped, delayed]) if (some.length > 0) expect(describeRows(some)).toEqual(ofTwo);
    expect(rows).toHaveLength(4 + capped.length + delayed.length);
    if (process.platform === 'linux') expect(delayed).toHaveLength(3);
    for (const { slices, predictedStepMs, measuredStepMs, error } of rows) {
      expect(slices).toBe(1);
      expect(error.median).toBeCloseTo(predictedStepMs / measuredStepMs - 1, 12);
    }
    writeFileSync(calibration, JSON.stringify(costs));
    const argv = [BIN, 'simulate', '--calibration', calibration, '--nodes', '1..4', '--json'];
    const { cases } = JSON.parse(execFileSync(process.execPath, argv, { encoding: 'utf8' }));
    expect(cases).toHaveLength(9);
  }, 300_000);

  it('says why a process that measures memory failed, and what to do', () => {
    const argv = [
      BIN,
      'bench',
      'memory',
      '--models',
      'dots.json',
      '--workers',
      '1',
      '--data',
      path.join(folder, 'none'),
    ];
    const { status, stderr } = spawnSync(process.execPath, argv, { cwd: folder, encoding: 'utf8' });
    expect(status).not.toBe(0);
    expect(stderr).toContain(path.join(folder, 'none'));
    expect(stderr).toContain('LOCKSTEP_BENCH_PROCESS: the process that measures dots with 1 worker ended with code 1');
  });
});
