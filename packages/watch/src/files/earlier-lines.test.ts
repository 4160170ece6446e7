import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { committedSteps, dropLaterLines, readProgress } from './earlier-lines.js';

let file = '';
beforeEach(() => {
  file = path.join(mkdtempSync(path.join(tmpdir(), 'lockstep-lines-')), 'events.jsonl');
});
afterEach(() => {
  rmSync(path.dirname(file), { recursive: true });
});

const STEPS_PER_EPOCH = 4;
const start = { event: 'start', stepsPerEpoch: STEPS_PER_EPOCH };
const events = [
  { event: 'progress', epoch: 1, step: 2, stepsPerEpoch: STEPS_PER_EPOCH },
  { event: 'epoch', epoch: 1 },
  { event: 'checkpoint', step: 4 },
  { event: 'warning', message: 'a {"step": 99} in a text' },
  { event: 'progress', epoch: 2, step: 1, stepsPerEpoch: STEPS_PER_EPOCH },
  { event: 'epoch', epoch: 2 },
  { event: 'end', steps: 9 },
];
const write = (lines: readonly unknown[], end = ''): void =>
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join('') + end);
const read = (): unknown[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

it('issue 25: an event whose numbers are none says nothing of how far a run came', () => {
  write([start, { event: 'epoch', epoch: 'x' }, { event: 'end', steps: {} }, { event: 'end', steps: 3 }]);
  expect(readProgress(file)).toEqual({ ended: 3, kept: 3 });
});

describe('dropLaterLines', () => {
  it('takes out what is after the step, keeps all else, and says so once', () => {
    write([start, ...events]);
    const told: string[] = [];
    dropLaterLines(file, 4, (line) => told.push(line));
    expect(read()).toEqual([start, ...events.slice(0, 4)]);
    expect(told).toEqual([`${file}: 3 lines after step 4 taken out; these steps are done again`]);
    dropLaterLines(file, 4, (line) => told.push(line));
    expect(told).toHaveLength(1);
  });

  it('takes out a last line that a killed process left half written', () => {
    write([start], '{"event":"epo');
    dropLaterLines(file, 4, () => {});
    expect(read()).toEqual([start]);
  });

  it('keeps lines that are none of ours, and makes no file', () => {
    write([start], 'a line of somebody else\n{"event":"end","steps":4}\n');
    const before = readFileSync(file);
    dropLaterLines(file, 4, () => {});
    expect(readFileSync(file)).toEqual(before);
    rmSync(file);
    dropLaterLines(file, 4, () => {});
    expect(existsSync(file)).toBe(false);
  });

  it('leaves exactly the lines whose steps are not after the step, in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), fc.nat(12), (lines, step) => {
        write([start, ...lines]);
        dropLaterLines(file, step, () => {});
        expect(read()).toEqual([start, ...lines.filter((line) => committedSteps(line, STEPS_PER_EPOCH) <= step)]);
      }),
    );
  });
});
