/**
 * Step 1: the npm packages of package-lock.json, installed without running their install scripts: all of them, or only
 * what builds and runs Lockstep. The root's `dependencies` are what builds it, `devDependencies` what tests it.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isOffline } from './cache-folder.mjs';
import { findNpm } from './npm.mjs';
import { run } from './processes.mjs';
import { SetupError } from './report.mjs';
import { readStamp } from './stale.mjs';

/**
 * Whether node_modules has what package-lock.json asks for; without the packages for tests where `isForTests` is false. npm writes node_modules/.package-lock.json as the last act of
 * an install: without it an install was cut short, and with it what is installed can be compared without a stamp
 * of our own (a hand-run `npm install` counts).
 */
export function areDependenciesFresh(root, { isForTests = true } = {}) {
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  const installed = readInstalled(root);
  const isComplete = Object.entries(wanted).every(
    ([name, entry]) => name === '' || (entry.dev === true && !isForTests) || isInstalled(entry, installed[name]),
  );
  return isComplete && Object.keys(installed).every((name) => existsSync(path.join(root, name, 'package.json')));
}

/** Whether an install was finished, of whatever lock file. */
export const areDependenciesThere = (root) => existsSync(installedFile(root));

const installedFile = (root) => path.join(root, 'node_modules', '.package-lock.json');

/** npm's own note, made anew by an install where it is not there or damaged. */
const readInstalled = (root) => readStamp(installedFile(root)).packages ?? {};

const hasTestPackages = (root) => Object.values(readInstalled(root)).some((entry) => entry.dev === true);

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch (error) {
    throw new SetupError(`${file} cannot be read: ${error.message}`, { hint: 'Restore it with `git checkout`.' });
  }
}

/** Optional packages are the builds for other platforms: absent here is right. */
function isInstalled(wanted, installed) {
  if (installed === undefined) return wanted.optional === true || wanted.devOptional === true || wanted.peer === true;
  return wanted.version === installed.version && wanted.integrity === installed.integrity;
}

/**
 * Installs exactly the lock file. Packages for tests that were there before are never taken away. Throws a SetupError
 * with npm's output.
 */
export async function installDependencies(root, { isForTests = true, signal } = {}) {
  const npm = findNpm();
  const flags = [
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    isOffline() ? '--offline' : '--prefer-offline',
    '--no-progress',
    '--loglevel=error',
  ];
  // Said outright because NODE_ENV=production or a user's .npmrc would decide otherwise.
  const include = [isForTests || hasTestPackages(root) ? '--include=dev' : '--omit=dev', '--include=optional'];
  const { code, output } = await run(npm[0], [...npm.slice(1), 'ci', ...flags, ...include], { cwd: root, signal });
  if (code === 0) return;
  throw new SetupError(`npm ci ended with exit code ${code}`, { output, hint: hintFor(output) });
}

function hintFor(output) {
  if (/\b(ENOTEMPTY|EEXIST|EBUSY)\b/.test(output))
    return 'Another npm seems to be at work in node_modules, such as that of a set-up which was killed: run the same command again in a moment.';
  if (/\b(ENOSPC|EDQUOT)\b/.test(output)) return 'The disk is full: make room, then run the same command again.';
  if (/\b(EACCES|EPERM|EROFS)\b/.test(output))
    return "Something there belongs to another user, or npm's cache does (`npm config get cache`): see above.";
  return isOffline()
    ? 'LOCKSTEP_OFFLINE is set, and npm has not all packages in its cache: run the same command once with a network.'
    : 'Check the network, and `npm config get registry` if you use a mirror. Then run the same command again.';
}
