/**
 * Makes a checkout ready to run: npm packages, kernels, TypeScript; each only when it is stale. `node tools/bootstrap.mjs`
 * does just that; the other tools call `bootstrap` first. Needs nothing but Node: it runs before node_modules exists.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCompiler } from './setup/compiler.mjs';
import { areDependenciesFresh, areDependenciesThere, installDependencies } from './setup/dependencies.mjs';
import { areKernelsFresh, areKernelsThere, buildKernels, kernelsOfRun, kernelsProject } from './setup/kernels.mjs';
import { hasWasmKernels } from './setup/kernels-beside.mjs';
import { acquireLock } from './setup/lock.mjs';
import { buildMpi, isMpiFresh, mpiProject } from './setup/mpi.mjs';
import { acceptStale, findRefusal } from './setup/read-only.mjs';
import { SetupError, say, sayFailure, sayTimed } from './setup/report.mjs';
import { watchSignals } from './setup/signals.mjs';
import { buildTypeScript, isTypeScriptFresh, isTypeScriptThere } from './setup/typescript.mjs';

export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * Sets up what is stale; without what only tests need where `isForTests` is false, and without the kernels where
 * `mayBeginOnWasm` is true and there are none for this machine yet (`areKernelsMissing`). Where `canUseWasm` is true,
 * kernels that cannot be compiled are gone without, in those in WebAssembly, which is said. Resolves with whether the
 * checkout is ready; what went wrong has been said. Ctrl-C ends the process with exit code 130 once the tools have
 * stopped; what was not finished is stale and is done next time.
 */
export async function bootstrap({ root = ROOT, isForTests = true, canUseWasm = false, mayBeginOnWasm = false } = {}) {
  const interrupt = watchSignals();
  try {
    requireNode();
    const isWasmAsked = canUseWasm && /^wasm/.test(process.env.LOCKSTEP_ISA ?? '');
    const isWithKernels = !isWasmAsked && !(mayBeginOnWasm && areKernelsMissing(root));
    const needs = { isForTests, isWithKernels, canUseWasm: canUseWasm && !process.env.LOCKSTEP_ISA };
    if (!isFresh(root, needs)) await setUpOrAccept(root, needs, interrupt.signal);
    return true;
  } catch (error) {
    if (interrupt.signal.aborted) {
      say('interrupted; the next run goes on from here');
      process.exit(interrupt.exitCode());
    }
    sayFailure(error);
    return false;
  } finally {
    interrupt.stop();
  }
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupError(`Node ${process.versions.node} is too old: Lockstep needs Node 20.19 or newer`, {
    hint: 'Install a current one from https://nodejs.org, then run the same command again.',
  });
}

/** Whether a run can only begin with the kernels in WebAssembly, those for this machine not having been compiled. */
export function areKernelsMissing(root = ROOT, project = kernelsProject(root)) {
  return !process.env.LOCKSTEP_ISA && hasWasmKernels(root) && project.isas.length > 0 && !areKernelsThere(project);
}

const neededKernels = (root, { isForTests }) => (isForTests ? kernelsProject(root) : kernelsOfRun(root));

function isFresh(root, { isForTests, isWithKernels }) {
  const project = neededKernels(root, { isForTests });
  const isNative = !isWithKernels || (areKernelsFresh(project) && isMpiFresh(mpiProject(root)));
  return areDependenciesFresh(root, { isForTests }) && isTypeScriptFresh(root, { isForTests }) && isNative;
}

/** A checkout that cannot be written is used as it is, which is said. */
async function setUpOrAccept(root, needs, signal) {
  const written = [path.join('build', 'setup'), path.join('packages', 'kernels', 'build'), 'node_modules'];
  const refusal = findRefusal(written.map((name) => path.join(root, name)));
  if (refusal === undefined) {
    await setUpAlone(root, needs, signal);
    return;
  }
  const { isForTests } = needs;
  const isKernelsBuilt = areKernelsThere(kernelsProject(root)) || hasWasmKernels(root);
  const stale = acceptStale(root, refusal, [
    { what: 'npm packages', isFresh: areDependenciesFresh(root, { isForTests }), isBuilt: areDependenciesThere(root) },
    { what: 'kernels', isFresh: areKernelsFresh(neededKernels(root, needs)), isBuilt: isKernelsBuilt },
    { what: 'TypeScript', isFresh: isTypeScriptFresh(root, { isForTests }), isBuilt: isTypeScriptThere(root) },
    { what: 'MPI transport', isFresh: isMpiFresh(mpiProject(root)), isBuilt: true },
  ]);
  say(
    `${root} cannot be written (${refusal}): used as it was built, although older than its sources: ${stale.join(', ')}`,
  );
}

async function setUpAlone(root, needs, signal) {
  const release = await acquireLock(path.join(root, 'build', 'setup', 'lock'), {
    signal,
    onWait: ({ pid, host, since }) => say(`waiting for process ${pid} on ${host}, which is setting up since ${since}`),
  });
  try {
    await setUp(root, needs, signal);
  } finally {
    release();
  }
}

/** Looks again at each step: whoever had the lock before may have done it. */
async function setUp(root, needs, signal) {
  const { isForTests, isWithKernels } = needs;
  if (!areDependenciesFresh(root, { isForTests })) {
    const install = () => installDependencies(root, { isForTests, signal });
    await sayTimed('installing the npm packages of package-lock.json', 'npm packages installed', install);
  }
  const project = neededKernels(root, needs);
  const mpi = mpiProject(root);
  const isCompiling = isWithKernels && !(areKernelsFresh(project) && isMpiFresh(mpi));
  // Found before the builds start side by side, since it may have to ask.
  const compiler = isCompiling ? await findCompilerOr(root, needs, signal) : undefined;
  const builds = await Promise.allSettled([
    compiler === undefined || areKernelsFresh(project) || setUpKernelsOr(root, needs, compiler, signal),
    compiler === undefined || isMpiFresh(mpi) || setUpMpi(mpi, compiler, signal),
    isTypeScriptFresh(root, { isForTests }) || setUpTypeScript(root, signal),
  ]);
  const failures = builds.filter((build) => build.status === 'rejected').map((build) => build.reason);
  if (!signal.aborted) failures.slice(1).forEach(sayFailure);
  if (failures.length > 0) throw failures[0];
}

/** Who can go on without a compiler is not asked whether to fetch one. Kernels of other sources are not used then. */
async function findCompilerOr(root, needs, signal) {
  if (!needs.canUseWasm || !hasWasmKernels(root)) return await findCompiler({ signal });
  try {
    return await findCompiler({ signal, ask: () => Promise.resolve('') });
  } catch (error) {
    if (areKernelsFresh(neededKernels(root, needs))) {
      if (signal.aborted || !(error instanceof SetupError)) throw error;
      say(`the MPI transport stays as it is: ${error.message}`);
      return undefined;
    }
    goWithoutKernels(error, signal);
    if (areKernelsThere(kernelsProject(root))) process.env.LOCKSTEP_ISA = 'wasm';
    return undefined;
  }
}

/** Where there have been kernels, it is their sources that do not compile, and whoever changed them wants to know. */
async function setUpKernelsOr(root, needs, compiler, signal) {
  const isNeeded = !needs.canUseWasm || !hasWasmKernels(root) || areKernelsThere(kernelsProject(root));
  try {
    await setUpKernels(neededKernels(root, needs), compiler, signal);
  } catch (error) {
    if (isNeeded) throw error;
    goWithoutKernels(error, signal);
  }
}

/** @throws what is no reason of the compiler's */
function goWithoutKernels(error, signal) {
  if (signal.aborted || !(error instanceof SetupError)) throw error;
  say(
    `computing with the kernels in WebAssembly, to the same bits, since those for this machine are not compiled: ${error.reason} (\`npm run build\` says more)`,
  );
}

function setUpTypeScript(root, signal) {
  const isChecked = areDependenciesFresh(root);
  const what = `building the TypeScript${isChecked ? '' : ' (its types are checked by npm run build)'}`;
  return sayTimed(what, 'TypeScript built', () => buildTypeScript(root, { isChecked, signal }));
}

function setUpKernels(project, compiler, signal) {
  const what = `the kernels for ${project.isas.join(', ')} with ${compiler.version}`;
  return sayTimed(`building ${what}`, 'kernels built', () => buildKernels(project, compiler, { signal }));
}

async function setUpMpi(project, compiler, signal) {
  const build = () => buildMpi(project, compiler, { signal });
  const failure = await sayTimed('building the MPI transport', 'MPI transport built', build);
  if (failure) say(`without --transport mpi: ${failure.trim().split('\n')[0]}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isReady = await bootstrap();
  if (isReady) say('everything is up to date');
  process.exitCode = isReady ? 0 : 1;
}
