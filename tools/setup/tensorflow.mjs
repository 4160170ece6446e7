/**
 * The set-up of the tensorflow engine, in a folder of the user's cache that all checkouts share:
 *
 *   node_modules/   @tensorflow/tfjs-node and node-api-headers, by the lock file beside this one; no script runs
 *   wheel/          the wheel with libtensorflow, until it is unpacked
 *   libtensorflow/  two libraries and the headers out of it
 *   node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node, compiled against these
 *   ready.json      written last: says that all of it is there
 *
 * The package's own install script is of no use: the archive that it downloads from refuses everybody since August 2026.
 * Each step is skipped when its result is there, so an interrupted set-up goes on where it stopped.
 */

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCacheFolder, isOffline } from './cache-folder.mjs';
import { findCompiler } from './compiler.mjs';
import { areDependenciesFresh, installDependencies } from './dependencies.mjs';
import { showDownload } from './download-bar.mjs';
import { acquireLock } from './lock.mjs';
import { run } from './processes.mjs';
import { downloadWheel, findPython, unpackWheel } from './python.mjs';
import { SetupError, say, sayTimed } from './report.mjs';
import { listFiles, readStamp, writeStamp } from './stale.mjs';
import { findWheel, LIBTENSORFLOW_VERSION, TFJS_VERSION } from './tensorflow-platforms.mjs';

const MANIFEST = fileURLToPath(new URL('./tensorflow/', import.meta.url));
const PACKAGE_FILES = ['package.json', 'package-lock.json'];
const HEADER_FOLDERS = [
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/',
  'tensorflow/include/tsl/',
];
const BACKEND_UNIT = 'tfjs_backend.cc';
const UNIT_NAMES = [BACKEND_UNIT, 'tfjs_binding.cc'];
/** Grows when the binding is to be compiled anew from the same packages. */
export const BINDING_REVISION = 2;
/** One set for all threads of a process, which each of them fills without a lock: two that start together crash. */
const SHARED_NAMES = 'static std::set<std::string> ATTR_NAME_SET;';
const COMPILE_FLAGS = ['-std=c++17', '-O2', '-fPIC', '-DNAPI_VERSION=8', '-w'];

/** Where the set-up of this machine is. The engine looks in the same place (packages/worker, installation.ts). */
export function tensorFlowFolder(cacheFolder = findCacheFolder()) {
  const name = `tfjs-${TFJS_VERSION}-tensorflow-${LIBTENSORFLOW_VERSION}-${process.platform}-${process.arch}`;
  return path.join(cacheFolder, 'tensorflow', name);
}

/** Whether everything is there, by names and sizes. */
export function isTensorFlowReady(folder = tensorFlowFolder()) {
  const { files, revision } = readStamp(readyFile(folder));
  const isSame = ([name, bytes]) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.size === bytes;
  return files !== undefined && revision === BINDING_REVISION && Object.entries(files).every(isSame);
}

/** Does what is missing. Throws a SetupError that says what to do. */
export async function setUpTensorFlow({ folder = tensorFlowFolder(), env = process.env, signal } = {}) {
  if (isTensorFlowReady(folder)) return;
  const wheel = findWheel();
  const release = await acquireLock(path.join(folder, 'lock'), {
    signal,
    onWait: ({ pid, host, since }) =>
      say(`waiting for process ${pid} on ${host}, which sets up tensorflow since ${since}`),
  });
  try {
    // whoever had the lock before may have done it
    if (!isTensorFlowReady(folder)) await setUp({ folder, wheel, env, signal });
  } finally {
    release();
  }
}

async function setUp(task) {
  const { folder, signal, env } = task;
  rmSync(readyFile(folder), { force: true });
  dropDrafts(folder);
  await installPackages(task);
  if (!existsSync(libraryFolder(folder))) {
    const python = await findPython({ env, signal });
    await unpackLibraries(python, await fetchWheel(python, task), task);
  }
  const compiler = await findCompiler({ env, signal });
  await sayTimed(`compiling the binding with ${compiler.version}`, 'binding compiled', () =>
    compileBinding(compiler, task),
  );
  const version = await sayTimed('trying it', 'tensorflow computes', () => tryBinding(task));
  rmSync(path.join(folder, 'wheel'), { recursive: true, force: true });
  dropDrafts(folder);
  const files = [bindingFile(folder), ...task.wheel.libraries.map((name) => path.join(libraryFolder(folder), name))];
  const sizes = files.map((file) => [path.relative(folder, file), statSync(file).size]);
  const about = { ...version, compiler: compiler.version, revision: BINDING_REVISION };
  writeStamp(readyFile(folder), { ...about, files: Object.fromEntries(sizes) });
}

// ---- npm packages ----

async function installPackages({ folder, signal }) {
  copyManifest(folder);
  if (areDependenciesFresh(folder)) return;
  const draft = draftFolder(folder, 'packages');
  const what = `@tensorflow/tfjs-node ${TFJS_VERSION} into ${folder}`;
  await sayTimed(`installing ${what}`, 'npm packages installed', async () => {
    copyManifest(draft);
    await installDependencies(draft, { signal });
    dropSourceMaps(draft);
    rmSync(path.join(folder, 'node_modules'), { recursive: true, force: true });
    renameSync(path.join(draft, 'node_modules'), path.join(folder, 'node_modules'));
  });
}

function copyManifest(folder) {
  mkdirSync(folder, { recursive: true });
  for (const name of PACKAGE_FILES) copyFileSync(path.join(MANIFEST, name), path.join(folder, name));
}

/** Two thirds of what npm installs here, 193 of 302 MB. */
function dropSourceMaps(folder) {
  const packages = path.join(folder, 'node_modules', '@tensorflow');
  for (const file of listFiles(packages, (name) => name.endsWith('.map'))) rmSync(file);
}

// ---- libtensorflow ----

async function fetchWheel(python, { folder, wheel, env, signal }) {
  const wheelFolder = path.join(folder, 'wheel');
  const what = `${wheel.project} ${LIBTENSORFLOW_VERSION}`;
  if (findWheelFile(wheelFolder) === undefined) {
    if (isOffline(env)) {
      throw new SetupError(`${what} has to be downloaded, and LOCKSTEP_OFFLINE is set`, {
        hint: 'Unset it, and run the same command again with a network.',
      });
    }
    const [done, scratch] = ['done', 'scratch'].map((name) => path.join(draftFolder(folder, 'wheel'), name));
    for (const made of [done, scratch]) mkdirSync(made, { recursive: true });
    const request = { ...wheel, version: LIBTENSORFLOW_VERSION, folder: done, scratch };
    const bar = { label: `setup: fetching ${what}`, folders: [scratch], totalBytes: wheel.bytes };
    const megabytes = Math.round(wheel.bytes / 1e6);
    await sayTimed(`fetching ${what} from PyPI (${megabytes} MB)`, `${what} fetched`, () =>
      showDownload(bar, () => downloadWheel(python, request, { env, signal })),
    );
    rmSync(wheelFolder, { recursive: true, force: true });
    renameSync(done, wheelFolder);
  }
  const file = findWheelFile(wheelFolder);
  await checkWheel(file, wheel);
  return file;
}

function findWheelFile(folder) {
  const name = existsSync(folder) && readdirSync(folder).find((entry) => entry.endsWith('.whl'));
  return name ? path.join(folder, name) : undefined;
}

async function checkWheel(file, wheel) {
  const hash = createHash('sha256');
  if (file) for await (const chunk of createReadStream(file)) hash.update(chunk);
  const sha256 = file ? hash.digest('hex') : 'no file';
  if (sha256 === wheel.sha256) return;
  if (file) rmSync(file);
  throw new SetupError(`the wheel of ${wheel.project} has SHA-256 ${sha256}, expected ${wheel.sha256}`, {
    hint: 'It was deleted. Run the same command again; if it happens again, your mirror of PyPI serves another file.',
  });
}

async function unpackLibraries(python, file, { folder, wheel, signal }) {
  const draft = draftFolder(folder, 'libtensorflow');
  await sayTimed('unpacking libtensorflow', 'libtensorflow unpacked', async () => {
    const names = wheel.libraries.map((name) => `tensorflow/${name}`);
    await unpackWheel(python, file, { names, headerFolders: HEADER_FOLDERS, folder: draft }, { signal });
    renameSync(path.join(draft, 'tensorflow'), libraryFolder(folder));
  });
}

// ---- the binding ----

async function compileBinding(compiler, { folder, wheel, env, signal }) {
  const file = bindingFile(folder);
  const draft = `${file}.${process.pid}`;
  mkdirSync(path.dirname(file), { recursive: true });
  const [command, ...words] = compiler.command;
  const includes = [
    path.join(libraryFolder(folder), 'include'),
    path.join(folder, 'node_modules', 'node-api-headers', 'include'),
  ];
  const sources = path.join(packageFolder(folder), 'binding');
  const backend = writeThreadSafeBackend(sources);
  const units = UNIT_NAMES.map((name) => (name === BACKEND_UNIT ? backend : path.join(sources, name)));
  const libraries = wheel.libraries.map((name) => path.join(libraryFolder(folder), name));
  const args = [...COMPILE_FLAGS, ...includes.map((include) => `-I${include}`), ...units, ...libraries];
  try {
    const { code, output } = await run(command, [...words, ...args, ...linkFlags(folder), '-o', draft], {
      env,
      signal,
    });
    if (code !== 0) {
      throw new SetupError(`the binding of tfjs-node does not compile with ${compiler.version}`, {
        output,
        hint: 'It is C++17: g++ 8, clang 7 or newer. CXX in the environment names another compiler.',
      });
    }
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
    rmSync(backend, { force: true });
  }
}

/** Gives each thread a set of its own. @returns the changed file, beside the one that it was made of */
function writeThreadSafeBackend(sources) {
  const text = readFileSync(path.join(sources, BACKEND_UNIT), 'utf8');
  if (!text.includes(SHARED_NAMES)) throw new SetupError(`${BACKEND_UNIT} of tfjs-node is not as expected`);
  const file = path.join(sources, `threads.${process.pid}.${BACKEND_UNIT}`);
  writeFileSync(file, text.replace(SHARED_NAMES, SHARED_NAMES.replace('static', 'static thread_local')));
  return file;
}

/** The binding finds its libraries by where it is itself, so that the folder may be moved. */
function linkFlags(folder) {
  const away = path.relative(path.dirname(bindingFile(folder)), libraryFolder(folder));
  return process.platform === 'darwin'
    ? ['-bundle', '-undefined', 'dynamic_lookup', `-Wl,-rpath,@loader_path/${away}`]
    : ['-shared', `-Wl,-rpath,$ORIGIN/${away}`];
}

/** In which tfjs-node was seen to compute; others most likely do. */
export const TRIED_NODES = 'Node 20, 24 or 26';

/** Computes something. Before that it gives `util` what Node 23 took out, as the engine does (packages/worker, given-back.ts). */
export const TRIAL = [
  "const util = require('node:util');",
  'util.isArray = Array.isArray;',
  'util.isNullOrUndefined = (value) => value === null || value === undefined;',
  "const tf = require('@tensorflow/tfjs-node');",
  'const [sum] = tf.tensor([1, 2]).dot(tf.tensor([3, 4])).dataSync();',
  "const isRight = sum === 11 && tf.getBackend() === 'tensorflow';",
  "if (!isRight) throw new Error('1*3 + 2*4 gave ' + sum + ' on ' + tf.getBackend());",
  "process.stdout.write('\\n' + JSON.stringify({ tfjs: tf.version.tfjs }));",
].join('\n');

/** The trial in a process of its own: a processor without what the libraries were built for dies here. */
async function tryBinding({ folder, env, signal }) {
  const quiet = { ...env, TF_CPP_MIN_LOG_LEVEL: '2' };
  const { code, output } = await run(process.execPath, ['-e', TRIAL], { cwd: folder, env: quiet, signal });
  if (code === 0) return JSON.parse(output.trim().split('\n').at(-1));
  if (code === null) {
    throw new SetupError('tensorflow was built but was killed by the system', {
      output,
      hint: 'On x64 libtensorflow needs AVX (any processor since 2011). Without it only the native engine can be used.',
    });
  }
  throw new SetupError('tensorflow was built but does not compute', {
    output,
    hint: `Delete ${folder} and run the same command again. If that ends here too, use ${TRIED_NODES}: this is Node ${process.versions.node}.`,
  });
}

/** Of this process alone: an npm or pip whose set-up was killed may still be writing into its own. */
const draftFolder = (folder, what) => path.join(folder, 'drafts', `${what}-${process.pid}`);

/** What is still written to stays, and goes the next time. */
function dropDrafts(folder) {
  try {
    rmSync(path.join(folder, 'drafts'), { recursive: true, force: true });
  } catch {
    // an orphan was quicker
  }
}

const readyFile = (folder) => path.join(folder, 'ready.json');
const libraryFolder = (folder) => path.join(folder, 'libtensorflow');
const packageFolder = (folder) => path.join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
const bindingFile = (folder) => path.join(packageFolder(folder), 'lib', 'napi-v8', 'tfjs_binding.node');
