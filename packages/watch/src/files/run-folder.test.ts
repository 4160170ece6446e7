import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProgress, findRunWeights } from './find-run.js';
import { RunFolder } from './run-folder.js';

let place = '';

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'lockstep-folder-'));
});

afterEach(() => {
  rmSync(place, { recursive: true });
});

describe('RunFolder', () => {
  it('cases: work 5: takes the first name that nothing has, whatever is there, and leaves that alone', () => {
    const taken = fc.uniqueArray(fc.record({ number: fc.integer({ min: 1, max: 6 }), isFile: fc.boolean() }), {
      selector: ({ number }) => number,
    });
    let round = 0;
    fc.assert(
      fc.property(taken, (things) => {
        const wanted = join(place, String(round++), 'digits-seed1');
        const nameOf = (number: number): string => (number === 1 ? wanted : `${wanted}-${number}`);
        mkdirSync(join(wanted, '..'));
        for (const { number, isFile } of things) {
          if (isFile) writeFileSync(nameOf(number), 'old');
          else mkdirSync(nameOf(number));
        }
        const free = [1, 2, 3, 4, 5, 6, 7].find((number) => things.every((thing) => thing.number !== number)) as number;
        const folder = new RunFolder(wanted);
        expect(folder.path).toBeUndefined();
        expect(folder.next).toBe(nameOf(free));
        expect(folder.make()).toBe(nameOf(free));
        expect(folder.make()).toBe(nameOf(free));
        expect(folder.next).toBe(nameOf(free));
        for (const { number, isFile } of things) {
          if (isFile) expect(readFileSync(nameOf(number), 'utf8')).toBe('old');
          else expect(statSync(nameOf(number)).isDirectory()).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is not there before it is needed', () => {
    const folder = new RunFolder(join(place, 'runs', 'a'));
    expect(existsSync(join(place, 'runs'))).toBe(false);
    expect(folder.make()).toBe(join(place, 'runs', 'a'));
  });
});

describe('findRunWeights', () => {
  it('means the best weights of a folder, else the last, and leaves the path of a file as it is', () => {
    const last = join(place, 'last.safetensors');
    writeFileSync(last, '');
    expect(findRunWeights(place)).toBe(last);
    writeFileSync(join(place, 'best.safetensors'), '');
    expect(findRunWeights(place)).toBe(join(place, 'best.safetensors'));
    expect(findRunWeights(last)).toBe(last);
    expect(findRunWeights(join(place, 'none'))).toBe(join(place, 'none'));
  });

  it('says what is missing in a folder without weights', () => {
    expect(() => findRunWeights(place)).toThrow(
      expect.objectContaining({
        code: 'LOCKSTEP_WEIGHTS_READ',
        text: `cannot read --weights ${place}: it is a folder without best.safetensors`,
      }),
    );
  });
});

describe('findProgress', () => {
  const write = (...events: object[]): void => {
    writeFileSync(join(place, 'run.json'), '{}');
    writeFileSync(join(place, 'events.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  };

  it('says after how many steps a run has ended, and after how many something was kept', () => {
    write({ event: 'start', stepsPerEpoch: 5 }, { event: 'end', steps: 10 }, { event: 'epoch', epoch: 3 });
    expect(findProgress(place)).toEqual({ ended: 10, kept: 15 });
  });

  it('knows no end of a run that was killed, and no run where none is', () => {
    expect(findProgress(place)).toBeUndefined();
    write(
      { event: 'start', stepsPerEpoch: 5 },
      { event: 'checkpoint', step: 40 },
      { event: 'progress', epoch: 9, step: 1 },
    );
    expect(findProgress(place)).toEqual({ ended: 0, kept: 40 });
  });
});
