import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { addCounts, countReport, tellSkipped } from './test-report.mjs';

let folder;
let file;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-report-'));
  file = path.join(folder, 'test-report.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(report) {
  const empty = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
  writeFileSync(file, JSON.stringify({ ...empty, success: true, ...report }));
}

it('counts what passed, failed and was skipped', () => {
  const testResults = [{ name: 'a.test.ts', status: 'failed', assertionResults: [{ status: 'failed' }] }];
  write({ numPassedTests: 5, numFailedTests: 2, numPendingTests: 1, numTodoTests: 1, success: false, testResults });
  expect(countReport(file)).toEqual({ passed: 5, failed: 2, skipped: 2, skippedTests: [], reasons: [] });
});

it('counts a file that did not compile as one failure and says why', () => {
  const testResults = [{ name: 'a.test.ts', status: 'failed', message: 'no module x\n  at', assertionResults: [] }];
  write({ numPassedTests: 5, success: false, testResults });
  expect(countReport(file)).toMatchObject({ passed: 5, failed: 1, reasons: ['a.test.ts: no module x'] });
});

it('counts a run that found no tests as one failure', () => {
  write({ success: false });
  expect(countReport(file)).toMatchObject({ failed: 1, reasons: [`${folder} has no tests`] });
});

it('counts a report that is missing as one failure and names its folder', () => {
  const reasons = [`${folder} has no test report: its tests did not run to the end`];
  expect(countReport(file)).toEqual({ passed: 0, failed: 1, skipped: 0, skippedTests: [], reasons });
});

it('names what was skipped, a suite by its first name and a test alone by all of its names', () => {
  const skipped = (ancestorTitles, title) => ({ status: 'skipped', ancestorTitles, title });
  const assertionResults = [
    skipped(['the page (skipped: no Chromium here)', 'on a phone'], 'is drawn'),
    skipped(['the page (skipped: no Chromium here)'], 'is read'),
    { status: 'passed', ancestorTitles: [], title: 'adds' },
    skipped(['a full disk'], 'costs a warning (skipped: only root can mount)'),
  ];
  write({
    numPassedTests: 1,
    numPendingTests: 3,
    testResults: [{ name: '/x/a.test.ts', status: 'passed', assertionResults }],
  });
  expect(tellSkipped(countReport(file).skippedTests)).toEqual([
    'a.test.ts: the page (skipped: no Chromium here) (2 tests)',
    'a.test.ts: a full disk: costs a warning (skipped: only root can mount)',
  ]);
});

it('adds up', () => {
  const one = { passed: 1, failed: 2, skipped: 3, skippedTests: ['t'], reasons: ['a'] };
  const sum = { passed: 2, failed: 4, skipped: 6, skippedTests: ['t', 't'], reasons: ['a', 'a'] };
  expect(addCounts([one, one])).toEqual(sum);
});
