/**
 * The kernels compiled beside a run that has begun with those in WebAssembly: in a process of its own, at low
 * priority. `node tools/setup/kernels-beside.mjs ROOT` is that process; what it says at its end is for who started it.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCompiler } from './compiler.mjs';
import { areKernelsFresh, buildKernels, kernelsOfRun } from './kernels.mjs';
import { acquireLock } from './lock.mjs';
import { buildMpi, isMpiFresh, mpiProject } from './mpi.mjs';
import { SetupError } from './report.mjs';

/** A run with a worker on every core keeps three quarters of them; at the lowest of all, compiling would not end before it. */
const NICER = 5;
const LOWEST = 19;

const THIS = fileURLToPath(import.meta.url);

/** Commands whose speed is what they are about, or that others wait for. */
const ON_NATIVE = new Set(['bench', 'launch', 'reproduce', 'speedrun', 'worker']);
/** Those that compute for seconds at the most. */
const ON_ANY = new Set(['evaluate', 'export', 'predict']);

/**
 * Which kernels a command line waits for: `native`, those of this machine; `later`, none, since a training compiles them
 * beside itself; `any`, those in WebAssembly do for what it computes; `none`, since it computes nothing.
 */
export function kernelsNeed([command, ...rest]) {
  if (rest.includes('--help') || rest.includes('-h')) return 'none';
  if (command === 'train') return 'later';
  if (ON_NATIVE.has(command)) return 'native';
  return ON_ANY.has(command) ? 'any' : 'none';
}

/** The niceness for the compiling, where a run has `own`: never a lower one, which only root may set. */
export const nicerThan = (own) => Math.min(own + NICER, LOWEST);

/** Whether there are kernels for every machine, with which a run can begin. */
export const hasWasmKernels = (root) =>
  existsSync(path.join(root, 'packages', 'kernels', 'wasm', 'lockstep-wasm.wasm'));

/**
 * Starts to compile. The compiling ends with this process, whose end closes its stdin; the next one goes on from there.
 *
 * @returns `failure`: a promise of undefined once the kernels are there, else of why they are not; `leave()` when nobody
 * waits for it any more
 */
export function buildBeside(root) {
  // a group of its own: a Ctrl-C is for the run
  const child = spawn(process.execPath, [THIS, root], { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
  const chunks = [];
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  const failure = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      const said = Buffer.concat(chunks).toString().trim().split('\n').at(-1);
      resolve(code === 0 ? undefined : said || `the compiling was ended by ${signal ?? code}`);
    });
  });
  const leave = () => {
    for (const handle of [child, child.stdin, child.stderr]) handle.unref();
  };
  return { failure, leave };
}

async function build(root, signal) {
  const release = await acquireLock(path.join(root, 'build', 'setup', 'lock'), { signal, onWait: () => {} });
  try {
    const [project, mpi] = [kernelsOfRun(root), mpiProject(root)];
    // whoever had the lock before may have done it
    if (areKernelsFresh(project) && isMpiFresh(mpi)) return;
    // nobody is asked: a person is looking at the run
    const compiler = await findCompiler({ signal, ask: () => Promise.resolve('') });
    const builds = await Promise.allSettled([
      areKernelsFresh(project) || buildKernels(project, compiler, { signal }),
      isMpiFresh(mpi) || buildMpi(mpi, compiler, { signal }),
    ]);
    const failed = builds.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
  } finally {
    release();
  }
}

if (process.argv[1] === THIS) {
  try {
    os.setPriority(nicerThan(os.getPriority()));
  } catch {
    // a sandbox may forbid it; the run is slower for that long
  }
  const left = new AbortController();
  process.stdin.on('end', () => left.abort()).resume();
  try {
    await build(process.argv[2], left.signal);
  } catch (error) {
    process.stderr.write(`${error instanceof SetupError ? error.reason : String(error)}\n`);
    process.exitCode = 1;
  }
  process.stdin.destroy();
}
