import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RunRecord, readCost, readRecord, writeCost, writeRecord } from './run-record.js';

const evaluation = { testLoss: 0.1, testAccuracy: 0.9, testCorrect: 9, testTotal: 10 };
const cost = { seconds: 1, coreSeconds: 2 };
const record: RunRecord = {
  ...{ model: 'tiny6k', recipe: 'ours', seed: 1, workers: 2, checksum: 'c', cost },
  epochs: [
    {
      ...{ event: 'epoch', epoch: 1, learningRate: 0.1, trainLoss: 1, trainAccuracy: 0.5, seconds: 1 },
      ...{ imagesPerSecond: 10, ...evaluation },
    },
  ],
  end: { event: 'end', epochs: 1, steps: 1, parametersSha256: 'h', seconds: 1, reason: 'completed', ...evaluation },
  ...{ imagesPerSecond: 10, peakGigaflops: 5 },
  occasion: {} as RunRecord['occasion'],
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-record-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function read() {
  const told: string[] = [];
  const tell = (text: string): number => told.push(text);
  return { record: readRecord(folder, tell), cost: readCost(folder, tell), told };
}

it('gives what was written, and says nothing of what is not there', () => {
  expect(read()).toEqual({ record: undefined, cost: undefined, told: [] });
  writeRecord(folder, record);
  writeCost(folder, cost);
  expect(read()).toEqual({ record, cost, told: [] });
});

it('says of a record that is cut or of another version that the run is done again', () => {
  writeFileSync(join(folder, 'record.json'), JSON.stringify({ ...record, end: {} }));
  writeFileSync(join(folder, 'cost.json'), '{');
  expect(read()).toEqual({
    record: undefined,
    cost: undefined,
    told: [
      `${join(folder, 'record.json')} was written by another version of lockstep, or damaged (end.event); the run is done again`,
      expect.stringMatching(/cost\.json is damaged \(line 1, .*\); what the run took before is not counted$/),
    ],
  });
});
