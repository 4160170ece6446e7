/**
 * `npm test`: sets up what is stale, then every package's tests (Nx runs those whose inputs changed), the tests that
 * cross packages, types and lint. Everything runs even after a failure; the last line counts all tests.
 * `--slow` runs the *.slow.test.ts files instead.
 */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { runVisibly } from './setup/processes.mjs';
import { setUpReaders } from './setup/readers.mjs';
import { SetupError, say, sayFailure } from './setup/report.mjs';
import { setUpTensorFlow } from './setup/tensorflow.mjs';
import { addCounts, countReport } from './test-report.mjs';

const isSlow = process.argv.includes('--slow');
const NODE_TOOLS = {
  nx: 'nx/dist/bin/nx.js',
  vitest: 'vitest/vitest.mjs',
  tsc: 'typescript/bin/tsc',
  biome: '@biomejs/biome/bin/biome',
};
const CHECKS = [
  ['tsc', '-p', 'test'],
  ['biome', 'check'],
];
const QUIET_NX = { NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' };

function runTool(name, ...args) {
  const env = { ...process.env, ...QUIET_NX, ...(isSlow ? { LOCKSTEP_SLOW: '1' } : {}) };
  const file = path.join(ROOT, 'node_modules', NODE_TOOLS[name]);
  return runVisibly(process.execPath, [file, ...args], { cwd: ROOT, env });
}

function listReports() {
  const { workspaces } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  return [...workspaces, '.'].map((folder) => path.join(ROOT, folder, 'test-report.json'));
}

/**
 * The tensorflow engine is there to be compared with. Where it cannot be had (no pip, no network, no such wheel), the tests
 * that need it are skipped and say why; with LOCKSTEP_REQUIRE_TENSORFLOW=1 they fail.
 */
async function prepareTensorFlow() {
  try {
    await setUpTensorFlow();
  } catch (error) {
    const reason = error instanceof SetupError ? error.message : String(error);
    if (process.env.LOCKSTEP_REQUIRE_TENSORFLOW === '1') sayFailure(error);
    else say(`the tests of the tensorflow engine are skipped: ${reason}`);
    process.env.LOCKSTEP_TENSORFLOW_REASON = reason;
  }
}

/** The same for what reads our event files and metrics (test/one-process/readers.ts): LOCKSTEP_REQUIRE_READERS=1. */
async function prepareReaders() {
  try {
    await setUpReaders();
  } catch (error) {
    const reason = error instanceof SetupError ? error.message : String(error);
    if (process.env.LOCKSTEP_REQUIRE_READERS === '1') sayFailure(error);
    else say(`the tests that read event files and metrics with other programs are skipped: ${reason}`);
    process.env.LOCKSTEP_READERS_REASON = reason;
  }
}

/** Runs all steps; returns the names of those that failed. */
async function runSteps(steps) {
  const failed = [];
  for (const step of steps) {
    const code = await runTool(...step);
    if (code === 130) process.exit(130);
    if (code !== 0) failed.push(step.slice(0, 4).join(' '));
  }
  return failed;
}

/** Runs everything and prints the closing line. Returns whether all of it is good. */
async function testAll() {
  if (!(await bootstrap())) {
    console.log('0 passed, 1 failed');
    return false;
  }
  await prepareTensorFlow();
  if (!isSlow) await prepareReaders();
  // Left-over reports of single runs would be counted; Nx puts back those of the packages it need not run.
  for (const report of listReports()) rmSync(report, { force: true });
  const failedRuns = await runSteps([
    ['nx', 'run-many', '-t', 'test', '--outputStyle=static'],
    ['vitest', 'run'],
  ]);
  const failedChecks = isSlow ? [] : await runSteps(CHECKS);
  const counts = addCounts(listReports().map((file) => countReport(file)));
  if (counts.skipped > 0) console.log(`${counts.skipped} skipped`);
  for (const text of [...counts.reasons, ...failedRuns, ...failedChecks]) console.log(`FAILED: ${text}`);
  // A run that failed with no failed test to show for it is one failure, and so is each check.
  const failedInRuns = failedRuns.length > 0 ? Math.max(counts.failed, 1) : counts.failed;
  const failed = failedInRuns + failedChecks.length;
  const passed = counts.passed + (isSlow ? 0 : CHECKS.length - failedChecks.length);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

// Ctrl-C reaches the child on the same terminal; its exit code is what ends this process.
process.on('SIGINT', () => {});
process.exitCode = (await testAll()) ? 0 : 1;
