/** Counts of vitest's json reports. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The counts of one report: `{ passed, failed, skipped, reasons }`. A file that fails without running a test (it does
 * not compile, a hook throws) is one failure, and so is a report that is missing or empty. Errors outside any test are
 * not in vitest's reports: only its exit code tells.
 */
export function countReport(file) {
  if (!existsSync(file)) {
    const reason = `${path.dirname(file)} has no test report: its tests did not run to the end`;
    return { passed: 0, failed: 1, skipped: 0, reasons: [reason] };
  }
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const reasons = report.testResults
    .filter(failedWithoutTest)
    .map((result) => `${result.name}: ${firstLine(result.message)}`);
  const failed = report.numFailedTests + reasons.length;
  const hidden = !report.success && failed === 0 ? [`${path.dirname(file)} has no tests`] : [];
  return {
    passed: report.numPassedTests,
    failed: failed + hidden.length,
    skipped: report.numPendingTests + report.numTodoTests,
    reasons: [...reasons, ...hidden],
  };
}

/** The sum of several counts. */
export function addCounts(counts) {
  return counts.reduce((sum, one) => ({
    passed: sum.passed + one.passed,
    failed: sum.failed + one.failed,
    skipped: sum.skipped + one.skipped,
    reasons: [...sum.reasons, ...one.reasons],
  }));
}

function failedWithoutTest({ status, assertionResults }) {
  return status === 'failed' && !assertionResults.some((result) => result.status === 'failed');
}

function firstLine(text) {
  return (text ?? '').split('\n')[0];
}
