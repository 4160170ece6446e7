/**
 * Lays the package out in a folder: one package, the inner ones in it. Five that need each other would install with npm
 * alone; one installs with every package manager.
 *
 *   package.json, README.md, LICENSE, CHANGELOG.md, docs/
 *   lib/<inner package>/     as in the repository: dist, page, package.json; specifiers made relative
 *   lib/kernels/prebuilds/   the builds of each platform; lib/kernels/wasm/
 *   lib/msgpackr/            its JavaScript alone: as a dependency it brings native builds with an install script
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isTest, listTypeScript } from '../rooms.mjs';
import { SetupError } from '../setup/report.mjs';
import { listFiles } from '../setup/stale.mjs';
import { makeRelative } from './specifiers.mjs';

/** Inner packages of the program, in the order of their imports; `schedules` is a tool of the repository. */
const INNER = ['core', 'kernels', 'worker', 'coordinator', 'watch', 'cli'];
/** The browser has an import map for the scripts in it (packages/watch/page/index.html). */
const SERVED = 'lib/watch/dist/page/browser/';
/** What is carried instead of being a dependency: msgpackr for pages and other JavaScript without its native part. */
const CARRIED = { msgpackr: ['index.js', 'pack.js', 'unpack.js', 'iterators.js', 'LICENSE'] };
const TEXTS = ['README.md', 'LICENSE', 'CHANGELOG.md'];

/** @param prebuilds `{ platform, isa, file }` of each build that goes along */
export function stagePackage(root, folder, prebuilds) {
  rmSync(folder, { recursive: true, force: true });
  const manifests = INNER.map((name) => copyInner(root, folder, name));
  for (const [name, files] of Object.entries(CARRIED)) copyCarried(root, folder, name, files);
  for (const { platform, isa, file } of prebuilds) {
    const place = path.join(folder, 'lib', 'kernels', 'prebuilds', platform);
    mkdirSync(place, { recursive: true });
    copyFileSync(file, path.join(place, `lockstep-${isa}.node`));
  }
  rewrite(folder, manifests);
  for (const name of TEXTS) copyFileSync(path.join(root, name), path.join(folder, name));
  cpSync(path.join(root, 'docs'), path.join(folder, 'docs'), {
    recursive: true,
    filter: (file) => !/[\\/]api$/.test(file),
  });
  const manifest = describePackage(root, manifests);
  writeJson(path.join(folder, 'package.json'), manifest);
  return manifest;
}

/** A package's files but for its dist, of which only what has a source: tsc leaves the output of files that are gone. */
function copyInner(root, folder, name) {
  const from = path.join(root, 'packages', name);
  const to = path.join(folder, 'lib', name);
  const manifest = JSON.parse(readFileSync(path.join(from, 'package.json'), 'utf8'));
  for (const { file } of listTypeScript(root, `packages/${name}/src`)) {
    if (isTest(file) || file.endsWith('.d.ts')) continue;
    const script = path.relative(`packages/${name}/src`, file).replace(/\.ts$/, '');
    for (const end of ['.js', '.d.ts'])
      copyBuilt(path.join(from, 'dist', script + end), path.join(to, 'dist', script + end));
  }
  for (const other of manifest.files.filter((file) => file !== 'dist')) {
    cpSync(path.join(from, other), path.join(to, other), { recursive: true });
  }
  const { version, type } = manifest;
  writeJson(path.join(to, 'package.json'), { name: manifest.name, version, private: true, type });
  return { ...manifest, folder: name };
}

function copyBuilt(from, to) {
  if (!existsSync(from)) throw new SetupError(`${from} is missing`, { hint: 'Run npm run build.' });
  mkdirSync(path.dirname(to), { recursive: true });
  writeFileSync(to, readFileSync(from, 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, ''));
}

function copyCarried(root, folder, name, files) {
  const from = path.join(root, 'node_modules', name);
  const to = path.join(folder, 'lib', name);
  mkdirSync(to, { recursive: true });
  for (const file of files) copyFileSync(path.join(from, file), path.join(to, file));
  const { version, license } = JSON.parse(readFileSync(path.join(from, 'package.json'), 'utf8'));
  writeJson(path.join(to, 'package.json'), { name, version, license, private: true, type: 'module', main: 'index.js' });
}

function rewrite(folder, manifests) {
  const places = new Map(Object.keys(CARRIED).map((name) => [name, path.join(folder, 'lib', name, 'index.js')]));
  for (const { name, exports, folder: inner } of manifests) {
    for (const [entry, { default: file }] of Object.entries(exports)) {
      places.set(path.posix.join(name, entry), path.join(folder, 'lib', inner, file));
    }
  }
  for (const file of listFiles(path.join(folder, 'lib'), (name) => /\.(js|d\.ts)$/.test(name))) {
    const isServed = path.relative(folder, file).split(path.sep).join('/').startsWith(SERVED);
    if (isServed && !file.endsWith('.d.ts')) continue;
    const text = readFileSync(file, 'utf8');
    const relative = makeRelative(text, file, places);
    if (relative !== text) writeFileSync(file, relative);
  }
}

/** The package.json: what the command line's package says, the dependencies of all, and no script. */
function describePackage(root, manifests) {
  const cli = manifests.find(({ folder }) => folder === 'cli');
  const { description, engines } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const dependencies = Object.assign({}, ...manifests.map((manifest) => manifest.dependencies));
  const isOutside = (name) => !name.startsWith('@lockstep/') && !(name in CARRIED);
  const under = (file) => `./${path.posix.join('lib/cli', file)}`;
  return {
    name: cli.name,
    version: cli.version,
    description,
    license: cli.license,
    type: 'module',
    engines,
    bin: Object.fromEntries(Object.entries(cli.bin).map(([name, file]) => [name, under(file)])),
    exports: Object.fromEntries(
      Object.entries(cli.exports).map(([entry, { types, default: file }]) => [
        entry,
        { types: under(types), default: under(file) },
      ]),
    ),
    files: ['lib', 'docs', 'CHANGELOG.md'],
    dependencies: Object.fromEntries(
      Object.entries(dependencies)
        .filter(([name]) => isOutside(name))
        .sort(),
    ),
    // The types name Node's own; whoever writes TypeScript has them, in the version of their Node.
    peerDependencies: { '@types/node': '>=20' },
    peerDependenciesMeta: { '@types/node': { optional: true } },
  };
}

const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
