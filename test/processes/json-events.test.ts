/** The fields of `--json`: what programs that read them rely on. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeSample } from '../support/small-run.ts';

const BIN = path.resolve(import.meta.dirname, '../../packages/cli/dist/bin.js');
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-json-'));
  await writeSample(folder, 200, 50);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const evaluation = ['testLoss', 'testAccuracy', 'testCorrect', 'testTotal'];
const fields: Readonly<Record<string, readonly string[]>> = {
  start: ['model', 'parameters', 'workers', 'engine', 'data', 'seed'],
  data: [
    ...['name', 'source', 'form', 'pieces', 'labels', 'channels', 'height', 'width', 'train', 'validation', 'test'],
    ...['testFrom', 'validationFrom', 'pixels', 'classes', 'notes', 'checksum'],
  ],
  epoch: [
    'epoch',
    'learningRate',
    'trainLoss',
    'trainAccuracy',
    'lastLoss',
    ...evaluation,
    'seconds',
    'imagesPerSecond',
  ],
  end: ['epochs', 'steps', ...evaluation, 'parametersSha256', 'seconds'],
};

it('prints one object a line, with every field of its event, accuracies as fractions of the counts', () => {
  const argv = ['train', 'lenet5', '--data', folder, '--no-save', '--json', '--workers', '2', '--epochs', '2'];
  const { status, stdout } = spawnSync(process.execPath, [BIN, ...argv, '--validation', '40'], { encoding: 'utf8' });
  expect(status).toBe(0);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number> & { event: string });
  expect(events.map(({ event }) => event)).toEqual(['start', 'data', 'epoch', 'epoch', 'end']);
  for (const event of events) {
    for (const field of fields[event.event] as string[]) expect(event, field).toHaveProperty(field);
    if (event.event === 'start' || event.event === 'data') continue;
    expect(event['testAccuracy']).toBe(Number(event['testCorrect']) / 50);
    expect(event['testTotal']).toBe(50);
  }
  // No step lies between the last epoch and the end.
  const [epoch, end] = events.slice(-2) as unknown as [Record<string, number>, Record<string, number>];
  expect(evaluation.map((field) => end[field])).toEqual(evaluation.map((field) => epoch[field]));
  expect(end['steps']).toBe(2 * Math.ceil(160 / 64));
});
