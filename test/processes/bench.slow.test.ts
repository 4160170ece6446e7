/** The bench commands that start many processes: what they print, never how fast. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BIN, SHORT, useBench } from './bench-fixture.ts';

interface PredictionRow {
  readonly nodes: number;
  readonly topology: string;
  readonly megabits: number | undefined;
  readonly delayMs: number | undefined;
}

const { folder, bench } = useBench();

describe('lockstep bench', () => {
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
});
