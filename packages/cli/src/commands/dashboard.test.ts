import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RecordingIo } from '../testing/recording-io.js';
import { findRuns } from './dashboard.js';

let folder = '';
let io: RecordingIo;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-dashboard-'));
  io = new RecordingIo();
  for (const name of ['a', 'b']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'chronicle.json'), '{}');
  }
  mkdirSync(join(folder, 'empty'));
  writeFileSync(join(folder, 'w.safetensors'), '');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('cases: work 19: passes over what is no run, and says so', () => {
  const given = ['a', 'b', 'empty', 'w.safetensors', 'gone'].map((name) => join(folder, name));
  expect(findRuns(given, io)).toEqual(given.slice(0, 2));
  expect(io.stderr.lines).toEqual(
    ['there is no chronicle.json in it', 'it is a file', 'there is no such folder'].map(
      (reason, index) => `note: ${given[index + 2]} is no run, and is not shown: ${reason}.`,
    ),
  );
});

it('cases: work 19: shows the runs in a folder, each once', () => {
  expect(findRuns([folder, join(folder, 'a')], io).sort()).toEqual([join(folder, 'a'), join(folder, 'b')]);
  expect(io.stderr.text).toBe('');
});

it('takes latest for the latest run, and says where none is', () => {
  const before = process.cwd();
  process.chdir(folder);
  try {
    expect(() => findRuns(['latest'], io)).toThrow(
      'LOCKSTEP_DASHBOARD_FOLDER: latest cannot be shown: no run has left its name in',
    );
    mkdirSync(join('runs', 'x'), { recursive: true });
    writeFileSync(join('runs', 'x', 'chronicle.json'), '{}');
    writeFileSync(join('runs', 'latest'), 'x\n');
    expect(findRuns(['latest'], io)).toEqual([join('runs', 'x')]);
    expect(findRuns(['runs'], io)).toEqual([join('runs', 'x')]);
  } finally {
    process.chdir(before);
  }
});

it('names a folder without any run, and what is no folder at all', () => {
  expect(() => findRuns([join(folder, 'gone')], io)).toThrow(
    `${join(folder, 'gone')} cannot be shown: there is no such folder.`,
  );
  expect(() => findRuns([join(folder, 'gone'), join(folder, 'empty')], io)).toThrow('none of them is a run');
  expect(() => findRuns([join(folder, 'empty')], io)).toThrow(
    `LOCKSTEP_DASHBOARD_FOLDER: ${join(folder, 'empty')} cannot be shown: there is no chronicle.json in it.`,
  );
});
