/**
 * `npm test`: sets up what is stale, then every package's tests (Nx runs those whose inputs changed), the tests that
 * cross packages, types and lint. Everything runs even after a failure; the last line counts all tests.
 * `--slow` runs the *.slow.test.ts files instead, `--soak` what draws at random, again and again.
 */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { runVisibly } from './setup/processes.mjs';
import { setUpReaders } from './setup/readers.mjs';
import { SetupError, say, sayFailure } from './setup/report.mjs';
import { setUpTensorFlow } from './setup/tensorflow.mjs';
import { listDrawing, readSoak, seedOf } from './soak.mjs';
import { forecast } from './test-forecast.mjs';
import { addCounts, countReport, tellSkipped } from './test-report.mjs';

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

function runTool(args, { folder = '.', more = {} } = {}) {
  const [name, ...rest] = args;
  const env = { ...process.env, ...QUIET_NX, ...(isSlow ? { LOCKSTEP_SLOW: '1' } : {}), ...more };
  const file = path.join(ROOT, 'node_modules', NODE_TOOLS[name]);
  return runVisibly(process.execPath, [file, ...rest], { cwd: path.join(ROOT, folder), env });
}

/** Where tests are: the packages, and the root for what crosses them. */
const listFolders = () => [...JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')).workspaces, '.'];

const listReports = () => listFolders().map((folder) => path.join(ROOT, folder, 'test-report.json'));

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
    const code = await runTool(step);
    if (code === 130) process.exit(130);
    if (code !== 0) failed.push(step.slice(0, 4).join(' '));
  }
  return failed;
}

/** Runs everything and prints the closing line. Returns whether all of it is good. */
async function testAll() {
  for (const line of forecast(ROOT, isSlow ? 'slow' : 'quick')) console.log(line);
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
  if (counts.skipped > 0) console.log(`${counts.skipped} skipped:`);
  for (const line of tellSkipped(counts.skippedTests)) console.log(`  ${line}`);
  for (const text of [...counts.reasons, ...failedRuns, ...failedChecks]) console.log(`FAILED: ${text}`);
  // A run that failed with no failed test to show for it is one failure, and so is each check.
  const failedInRuns = failedRuns.length > 0 ? Math.max(counts.failed, 1) : counts.failed;
  const failed = failedInRuns + failedChecks.length;
  const passed = counts.passed + (isSlow ? 0 : CHECKS.length - failedChecks.length);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

/** Rounds of the tests that draw, each with a seed of its own, which is printed. Returns the exit code. */
async function soak(filters) {
  const plan = readSoak();
  const drawing = listDrawing(ROOT, listFolders(), filters);
  const wrong =
    typeof plan === 'string' ? plan : drawing.length === 0 && `no test that draws has ${filters.join(' or ')}`;
  if (wrong) {
    console.error(`test:soak: ${wrong}`);
    return 2;
  }
  if (!(await bootstrap())) return 1;
  const files = drawing.reduce((sum, [, some]) => sum + some.length, 0);
  console.log(`test:soak: ${plan.rounds} rounds of ${files} files that draw at random, from seed ${plan.firstSeed}`);
  let failed = 0;
  for (let round = 0; round < plan.rounds; round++) {
    const seed = seedOf(plan, round);
    console.log(`test:soak: round ${round + 1} of ${plan.rounds}, seed ${seed}`);
    let isGood = true;
    for (const [folder, some] of drawing) {
      const more = { LOCKSTEP_SOAK: String(plan.rounds), LOCKSTEP_SEED: String(seed) };
      const code = await runTool(['vitest', 'run', ...some], { folder, more });
      if (code === 130) return 130;
      if (code === 0) continue;
      isGood = false;
      const again = ['npm run test:soak --', ...(folder === '.' ? ['test/'] : [folder])].join(' ');
      console.log(`FAILED: seed ${seed} in ${folder}; again: LOCKSTEP_SOAK=1 LOCKSTEP_SEED=${seed} ${again}`);
    }
    if (!isGood) failed++;
  }
  console.log(`${plan.rounds - failed} rounds passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

// Ctrl-C reaches the child on the same terminal; its exit code is what ends this process.
process.on('SIGINT', () => {});
const filters = process.argv.slice(2).filter((word) => !word.startsWith('--'));
if (process.argv.includes('--soak')) process.exitCode = await soak(filters);
else process.exitCode = (await testAll()) ? 0 : 1;
