/**
 * The programs that the tests read our files with, from PyPI: TensorBoard for event files, Prometheus' client for metrics.
 * They go into a folder of the user's cache, are no dependency of anything, and are found through PYTHONPATH.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { findCacheFolder, isOffline } from './cache-folder.mjs';
import { acquireLock } from './lock.mjs';
import { run } from './processes.mjs';
import { findPython } from './python.mjs';
import { SetupError, sayTimed } from './report.mjs';

const PACKAGES = ['tensorboard==2.21.0', 'prometheus_client==0.26.0'];

/** Where they are. A test looks in the same place (test/one-process/readers.ts). */
export const readersFolder = (cacheFolder = findCacheFolder()) =>
  path.join(cacheFolder, 'readers', PACKAGES.join('-').replaceAll('==', '-'));

/** Installs them unless they are there; appears by rename, so that it can be stopped anywhere. */
export async function setUpReaders({ signal } = {}) {
  const folder = readersFolder();
  if (existsSync(folder)) return;
  if (isOffline()) {
    const hint = 'Unset it, and run the same command again with a network.';
    throw new SetupError(`${PACKAGES.join(' and ')} have to be downloaded, and LOCKSTEP_OFFLINE is set`, { hint });
  }
  const { command } = await findPython({ signal });
  mkdirSync(path.dirname(folder), { recursive: true });
  const release = await acquireLock(`${folder}.lock`);
  const growing = `${folder}.part`;
  try {
    if (existsSync(folder)) return;
    rmSync(growing, { recursive: true, force: true });
    await sayTimed('fetching TensorBoard and a reader of metrics, for the tests', 'readers are there', async () => {
      const args = [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--no-input',
        '--target',
        growing,
      ];
      const { code, output } = await run(command, [...args, ...PACKAGES], { signal });
      const hint = 'Check the network, and `python3 -m pip config list` if you use a mirror.';
      if (code !== 0) throw new SetupError(`pip could not install ${PACKAGES.join(' and ')}`, { output, hint });
    });
    renameSync(growing, folder);
  } finally {
    await release();
  }
}
