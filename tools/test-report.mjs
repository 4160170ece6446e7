/** Counts of vitest's json reports. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The counts of one report: `{ passed, failed, skipped, skippedTests, reasons }`. A file that fails without running a test (it does
 * not compile, a hook throws) is one failure, and so is a report that is missing or empty. Errors outside any test are
 * not in vitest's reports: only its exit code tells.
 */
export function countReport(file) {
  if (!existsSync(file)) {
    const reason = `${path.dirname(file)} has no test report: its tests did not run to the end`;
    return { passed: 0, failed: 1, skipped: 0, skippedTests: [], reasons: [reason] };
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
    skippedTests: report.testResults.flatMap(listSkipped),
    reasons: [...reasons, ...hidden],
  };
}

/** The sum of several counts. */
export function addCounts(counts) {
  return counts.reduce((sum, one) => ({
    passed: sum.passed + one.passed,
    failed: sum.failed + one.failed,
    skipped: sum.skipped + one.skipped,
    skippedTests: [...sum.skippedTests, ...one.skippedTests],
    reasons: [...sum.reasons, ...one.reasons],
  }));
}

/** As `{ file, ancestors, title }`: their names say why. */
function listSkipped({ name, assertionResults }) {
  return assertionResults
    .filter(({ status }) => status === 'pending' || status === 'skipped' || status === 'todo')
    .map(({ ancestorTitles, title }) => ({ file: path.basename(name), ancestors: ancestorTitles, title }));
}

/** A line for each outermost suite of skipped tests, with how many it has. */
export function tellSkipped(tests) {
  const counts = new Map();
  for (const { file, ancestors, title } of tests) {
    // a suite of one, whose own name is the reason
    const names = ancestors.length > 0 && tests.filter((other) => other.ancestors[0] === ancestors[0]).length > 1;
    const text = `${file}: ${names ? ancestors[0] : [...ancestors, title].join(': ')}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => (count > 1 ? `${text} (${count} tests)` : text));
}

function failedWithoutTest({ status, assertionResults }) {
  return status === 'failed' && !assertionResults.some((result) => result.status === 'failed');
}

function firstLine(text) {
  return (text ?? '').split('\n')[0];
}
