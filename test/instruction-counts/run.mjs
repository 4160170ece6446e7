/**
 * `npm run test:instructions`: counts the instructions of one training step of each model with valgrind's callgrind and
 * compares them with test/instruction-counts.json. Seconds depend on the machine and its neighbours, these do not.
 * `-- --update` writes the counts as they are now; `-- MODEL...` counts some models only.
 *
 * Counts belong to a build of the kernels and to the compiler that made it: with another compiler there is nothing to
 * compare with, which is said and is no failure.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bootstrap, ROOT } from '../../tools/bootstrap.mjs';
import { findCompiler } from '../../tools/setup/compiler.mjs';
import { run, runPool } from '../../tools/setup/processes.mjs';
import { compareCounts, describeCompiler, parseCount } from './counts.mjs';

const COUNTS_FILE = path.join(ROOT, 'test', 'instruction-counts.json');
const BUILD = path.join(ROOT, 'packages', 'kernels', 'build');
/** valgrind 3.19 does not know AVX-512, and does without it in the C library. */
const ISA = 'avx2';
const ADDON = path.join(BUILD, `lockstep-${ISA}.node`);
/** Shards of a step: two, so that adding them up is counted; one where a step is long. */
const SHARDS = { tiny6k: 2, net19k: 2, gap19k: 2, lenet5: 2, mynet: 2, cnn11m: 1 };

async function main(args) {
  const isUpdate = args.includes('--update');
  const models = args.filter((arg) => !arg.startsWith('--'));
  const unknown = models.filter((model) => !(model in SHARDS));
  if (unknown.length > 0)
    throw new Error(`no model is called ${unknown.join(', ')}; there are ${Object.keys(SHARDS).join(', ')}`);
  await requireValgrind();
  const compiler = readBuild();
  const counts = await countAll(models.length > 0 ? models : Object.keys(SHARDS));
  const recorded = JSON.parse(readFileSync(COUNTS_FILE, 'utf8'));
  if (isUpdate) return update(recorded, compiler, counts);
  const { lines, isGood } = compareCounts(recorded.builds[ISA], { compiler, counts }, recorded.tolerance);
  for (const line of lines) console.log(line);
  return isGood;
}

async function requireValgrind() {
  const { code } = await run('valgrind', ['--version']);
  if (code !== 0) throw new Error('valgrind is not installed: sudo apt-get install valgrind');
}

/** The compiler of the build that is counted, by its stamp. */
function readBuild() {
  if (!existsSync(ADDON)) throw new Error(`the ${ISA} kernels, which are counted, are not built for this processor`);
  const stamp = JSON.parse(readFileSync(path.join(BUILD, `lockstep-${ISA}.json`), 'utf8'));
  return describeCompiler(stamp.compiler.version);
}

async function countAll(models) {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'lockstep-instructions-'));
  try {
    const driver = await buildDriver(scratch);
    const { exportStep } = await import('./export-step.mjs');
    const counts = {};
    // The long one first, so that no core waits for it at the end.
    const jobs = [...models]
      .sort((a, b) => SHARDS[a] - SHARDS[b])
      .map((model) => async () => {
        const step = path.join(scratch, `${model}.step`);
        exportStep(model, SHARDS[model], ISA, step);
        counts[model] = await count(driver, step);
        console.log(`counted ${model}: ${counts[model].toLocaleString('en-US')} instructions`);
      });
    await runPool(jobs, os.availableParallelism());
    return Object.fromEntries(models.map((model) => [model, counts[model]]));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function buildDriver(scratch) {
  const compiler = await findCompiler();
  const [command, ...words] = compiler.command;
  const driver = path.join(scratch, 'driver');
  const include = path.join(ROOT, 'node_modules', 'node-api-headers', 'include');
  const source = path.join(ROOT, 'test', 'instruction-counts', 'driver.cc');
  // -rdynamic: the addon finds the driver's Node-API in the program that loads it.
  const flags = ['-std=c++20', '-O1', '-rdynamic', `-I${include}`];
  const { code, output } = await run(command, [...words, ...flags, source, '-ldl', '-o', driver]);
  if (code !== 0) throw new Error(`driver.cc does not compile:\n${output}`);
  return driver;
}

async function count(driver, step) {
  const out = `${step}.callgrind`;
  const tool = ['--tool=callgrind', '--toggle-collect=measuredStep', `--callgrind-out-file=${out}`];
  const { code, output } = await run('valgrind', [...tool, driver, ADDON, step]);
  if (code !== 0) throw new Error(`valgrind ended with code ${code}:\n${output}`);
  return parseCount(readFileSync(out, 'utf8'));
}

function update(recorded, compiler, counts) {
  const known = recorded.builds[ISA];
  const kept = known?.compiler === compiler ? known.counts : {};
  recorded.builds[ISA] = { compiler, counts: { ...kept, ...counts } };
  writeFileSync(COUNTS_FILE, `${JSON.stringify(recorded, null, 2)}\n`);
  console.log(`wrote ${path.relative(ROOT, COUNTS_FILE)}`);
  return true;
}

if (await bootstrap()) {
  try {
    process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
} else {
  process.exitCode = 1;
}
