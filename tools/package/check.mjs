/** What must hold of the package before it is packed. */
import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { stripComments } from '../rooms.mjs';
import { listFiles } from '../setup/stale.mjs';
import { listSpecifiers } from './specifiers.mjs';

/** The faults of a package in `folder`, one line each: imports that lead nowhere, scripts that run on installation, `engines` that a dependency does not keep. */
export function findFaults(folder, manifest, { modules }) {
  return [...findLostImports(folder, manifest), ...findScripts(manifest, modules), ...findTooOld(manifest, modules)];
}

function findLostImports(folder, { dependencies }) {
  const scripts = listFiles(path.join(folder, 'lib'), (name) => /\.(js|d\.ts)$/.test(name));
  return scripts.flatMap((file) =>
    listSpecifiers(stripComments(readFileSync(file, 'utf8')))
      .filter((specifier) => !isThere(specifier, file, dependencies))
      .map((specifier) => `${path.relative(folder, file)} imports ${specifier}, which the package has not`),
  );
}

function isThere(specifier, file, dependencies) {
  if (specifier.startsWith('.')) return existsSync(path.resolve(path.dirname(file), specifier));
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  return isBuiltin(specifier) || name in dependencies || isServed(specifier, file) || isOfTypesAlone(specifier, file);
}

/** The page's own scripts import by its import map. */
const isServed = (specifier, file) =>
  specifier === '@lockstep/core/text' && file.includes(`${path.sep}browser${path.sep}`);

/** Of @types/ws and the like: in the types of what a user does not import. */
const isOfTypesAlone = (specifier, file) => file.endsWith('.d.ts') && !specifier.startsWith('@lockstep/');

const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

/** Of the package and of all that is installed with it. */
function findScripts(manifest, modules) {
  return listInstalled(manifest, modules).flatMap(({ name, scripts = {} }) =>
    INSTALL_SCRIPTS.filter((script) => script in scripts).map((script) => `${name} has the script ${script}`),
  );
}

function findTooOld(manifest, modules) {
  const least = readLeast(manifest.engines);
  return listInstalled(manifest, modules)
    .filter(({ engines }) => compare(readLeast(engines), least) > 0)
    .map(({ name, engines }) => `${name} needs Node ${engines.node}, the package says ${manifest.engines.node}`);
}

/** The manifests of the package and of its dependencies, of theirs too. */
function listInstalled(manifest, modules, found = new Map()) {
  if (found.has(manifest.name)) return [];
  found.set(manifest.name, manifest);
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const file = path.join(modules, name, 'package.json');
    if (existsSync(file)) listInstalled(JSON.parse(readFileSync(file, 'utf8')), modules, found);
  }
  return [...found.values()];
}

/** `[20, 19, 0]` of `>=20.19.0`, `[20]` of `>=20.x`; of `^16 || >=20` the last. */
function readLeast(engines) {
  const numbers = [...(engines?.node ?? '').matchAll(/>=?\s*([\d.]+)/g)].at(-1)?.[1] ?? '0';
  return numbers.split('.').filter(Boolean).map(Number);
}

function compare(one, other) {
  for (let i = 0; i < 3; i++) if ((one[i] ?? 0) !== (other[i] ?? 0)) return (one[i] ?? 0) - (other[i] ?? 0);
  return 0;
}
