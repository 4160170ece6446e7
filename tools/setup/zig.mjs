/**
 * The pinned zig, from PyPI's `ziglang`: it holds a C++ compiler that builds for every platform, the same bytes everywhere.
 * pip fetches it, which knows the user's mirror, and compares the wheel with the hashes in zig-requirements.txt.
 *
 *   zig-0.17.1/   in the cache folder: the wheel's contents; appears by rename
 *   zig-cache/    beside it: what zig has compiled of its own libraries, a minute for each platform; kept
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCacheFolder, isOffline } from './cache-folder.mjs';
import { acquireLock } from './lock.mjs';
import { run } from './processes.mjs';
import { SetupError, say, sayTimed } from './report.mjs';

const REQUIREMENTS = fileURLToPath(new URL('./zig-requirements.txt', import.meta.url));
const [, VERSION] = /^ziglang==(\S+)/m.exec(readFileSync(REQUIREMENTS, 'utf8'));

/** What is fetched, as pip names it. */
export const ZIG_PACKAGE = `ziglang==${VERSION}`;

const NO_ZIG_HINT =
  'It comes from PyPI through pip: check that `python3 -m pip --version` works, the network, and `python3 -m pip config list` if you use a mirror.';

/** Where the pinned zig's program is, or will be once setUpZig has run. */
export function zigFile(env = process.env) {
  const name = process.platform === 'win32' ? 'zig.exe' : 'zig';
  return path.join(zigFolder(env), 'ziglang', name);
}

/** The environment for zig: its caches are in ours, unless the user has put them elsewhere. */
export function zigEnvironment(env = process.env) {
  const cache = path.join(findCacheFolder(env), 'zig-cache');
  return { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache, ...env };
}

/**
 * Fetches zig unless it is there (some 100 MB, 0.4 GB on disk). Resolves with the program's path; to be run with
 * zigEnvironment. Throws a SetupError that says what to do.
 */
export async function setUpZig({ env = process.env, signal, write = say } = {}) {
  const file = zigFile(env);
  if (existsSync(file)) return file;
  if (isOffline(env)) {
    const hint = 'Unset it, and run the same command again with a network.';
    throw new SetupError(`${ZIG_PACKAGE} has to be downloaded, and LOCKSTEP_OFFLINE is set`, { hint });
  }
  const folder = zigFolder(env);
  const release = await acquireLock(`${folder}.lock`, {
    signal,
    onWait: ({ pid, host, since }) => write(`waiting for process ${pid} on ${host}, which fetches zig since ${since}`),
  });
  try {
    // Whoever had the lock before may have done it.
    if (existsSync(file)) return file;
    await sayTimed(
      `fetching ${ZIG_PACKAGE} from PyPI into ${folder}`,
      'zig is installed',
      () => install(folder, env, signal),
      write,
    );
  } finally {
    release();
  }
  if (existsSync(file)) return file;
  throw new SetupError(`${ZIG_PACKAGE} was installed, but has no ${file}`, { hint: NO_ZIG_HINT });
}

async function install(folder, env, signal) {
  const draft = `${folder}.part`;
  mkdirSync(path.dirname(folder), { recursive: true });
  rmSync(draft, { recursive: true, force: true });
  // --target, not --user: a Python that its system manages (PEP 668) refuses the latter.
  const args = ['-m', 'pip', 'install', '--no-deps', '--disable-pip-version-check', '--no-input'];
  args.push('--only-binary=:all:', '--require-hashes', '--target', draft, '-r', REQUIREMENTS);
  try {
    const { code, output } = await run('python3', args, { env, signal });
    if (code !== 0) {
      throw new SetupError(`python3 -m pip could not install ${ZIG_PACKAGE}`, { output, hint: NO_ZIG_HINT });
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function zigFolder(env) {
  return path.join(findCacheFolder(env), `zig-${VERSION}`);
}
