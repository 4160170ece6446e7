/**
 * Step 4, where an MPI is installed: packages/worker/native/mpi.cc to packages/worker/build/mpi.node. Without one there is
 * nothing to do, and `--transport mpi` says so.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { findOnPath } from './compiler.mjs';
import { run } from './processes.mjs';
import { SetupError } from './report.mjs';
import { fingerprint, readStamp, statKey, writeStamp } from './stale.mjs';

const COMPILE_FLAGS = ['-std=c++20', '-O2', '-fPIC', '-fno-exceptions', '-fno-rtti', '-fvisibility=hidden', '-pthread'];
// MPI's old C++ functions are in a library of their own.
const DEFINES = ['-DNAPI_VERSION=8', '-DOMPI_SKIP_MPICXX', '-DMPICH_SKIP_MPICXX'];
const LINK_FLAGS =
  process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-s', '-Wl,-z,now'];

const LOAD = 'process.dlopen({ exports: {} }, process.argv[1], os.constants.dlopen.RTLD_NOW)';

export function mpiProject(root, { env = process.env } = {}) {
  const folder = path.join(root, 'packages', 'worker');
  return {
    source: path.join(folder, 'native', 'mpi.cc'),
    addon: path.join(folder, 'build', 'mpi.node'),
    stamp: path.join(folder, 'build', 'mpi.json'),
    includeFolder: path.join(root, 'node_modules', 'node-api-headers', 'include'),
    /** Knows where mpi.h and the library are. */
    wrapper: findOnPath('mpicc', env),
    env,
  };
}

/** Whether there is no MPI, or the addon is what the source and the MPI give. Starts no process. */
export function isMpiFresh(project) {
  if (project.wrapper === undefined) return true;
  const stamp = readStamp(project.stamp);
  return stamp.inputs === inputsOf(project) && (stamp.failure !== undefined || existsSync(project.addon));
}

const inputsOf = ({ source, wrapper, env }) =>
  [fingerprint([source]), statKey(wrapper), env.CXX ?? '', ...COMPILE_FLAGS, ...DEFINES, ...LINK_FLAGS].join(' ');

/**
 * Builds it. An MPI that does not compile (mpicc without the headers) is no reason to stop: it is noted, and tried again
 * when the MPI has changed. Returns the failure's text.
 */
export async function buildMpi(project, compiler, { signal } = {}) {
  const draft = `${project.addon}.${process.pid}`;
  mkdirSync(path.dirname(project.addon), { recursive: true });
  let failure;
  try {
    const { compile, link } = await readWrapper(project, signal);
    const [command, ...words] = compiler.command;
    const flags = [...COMPILE_FLAGS, ...DEFINES, `-I${project.includeFolder}`, ...compile];
    const args = [...words, ...flags, project.source, ...LINK_FLAGS, ...link, '-o', draft];
    const built = await run(command, args, { env: project.env, signal, isGroup: true });
    // a shared library may link with a symbol missing; loading it in another process tells
    const { code, output } = built.code === 0 ? await run(process.execPath, ['-e', LOAD, draft], { signal }) : built;
    if (code === 0) renameSync(draft, project.addon);
    else failure = output;
  } finally {
    rmSync(draft, { force: true });
  }
  writeStamp(project.stamp, { inputs: inputsOf(project), ...(failure !== undefined && { failure }) });
  return failure;
}

/** `mpicc -show` prints the command that it would run: Open MPI and MPICH alike. */
async function readWrapper({ wrapper, env }, signal) {
  const { code, output } = await run(wrapper, ['-show'], { env, signal });
  if (code !== 0) throw new SetupError(`${wrapper} -show does not work`, { output });
  const words = output.trim().split(/\s+/);
  return {
    compile: words.filter((word) => word.startsWith('-I')),
    link: words.filter((word) => /^-(L|l|Wl,)/.test(word)),
  };
}
