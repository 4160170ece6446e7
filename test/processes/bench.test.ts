/** Runs the real bench commands for an instant: what they print, never how fast. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Program } from '../support/program.ts';
import { BIN, SHORT, SIDE, useBench } from './bench-fixture.ts';

const { folder, bench } = useBench();

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

  it('cases: work 25: kernels takes Ctrl-C, says so and ends with 130', async () => {
    const argv = ['bench', 'kernels', 'dots.json', '--seconds', '600', '--data', folder];
    const program = new Program([process.execPath, BIN, ...argv], {}, folder);
    await program.until(() => program.stderr.includes('measuring dots'), 'the measurement');
    program.kill('SIGINT');
    expect(await program.exit).toBe(130);
    expect(program.stderr).toContain('Interrupted: 0 of 1 models are measured.');
    expect(program.stdout).toBe('');
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

  it('measures memory in a process of its own', () => {
    const { rows } = JSON.parse(bench('memory', '--models', 'dots.json', '--workers', '1', '--json'));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ model: 'dots', workers: 1 });
    expect(rows[0].peakBytes).toBeGreaterThanOrEqual(rows[0].afterBytes);
    expect(rows[0].afterBytes).toBeGreaterThan(rows[0].beforeBytes);
  });

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
