/**
 * Step 2: every package's TypeScript, by `tsc -b`, which rebuilds only what changed. Types are checked where the packages
 * for tests are installed, which the tests among the sources need for that; elsewhere only what runs is made: JavaScript.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './processes.mjs';
import { SetupError } from './report.mjs';
import { fingerprint, listFiles, readStamp, writeStamp } from './stale.mjs';

/** Whether dist is what the sources give, with their types checked where `isForTests` is true. Looks at names, sizes and times only. */
export function isTypeScriptFresh(root, { isForTests = true } = {}) {
  const { fingerprint: built, isChecked } = readStamp(stampFile(root));
  const isBuilt = built === fingerprintInputs(root, packageFolders(root)) && isTypeScriptThere(root);
  return isBuilt && (isChecked === true || !isForTests) && isProgramLinked(root);
}

/** Whether every package was built, from whatever sources. */
export const isTypeScriptThere = (root) =>
  packageFolders(root).every((folder) => existsSync(path.join(folder, 'dist', 'tsconfig.tsbuildinfo')));

/** Builds. Throws a SetupError with the compiler's output. */
export async function buildTypeScript(root, { isChecked = true, signal } = {}) {
  // Taken before the build: a file saved while it runs makes the stamp stale, as it should.
  const inputs = fingerprintInputs(root, packageFolders(root));
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const projects = isChecked ? [] : writeQuickProjects(root);
  const { code, output } = await run(process.execPath, [tsc, '-b', ...projects], { cwd: root, signal });
  if (code !== 0) {
    throw new SetupError(`the TypeScript does not compile (tsc -b ended with exit code ${code})`, {
      output,
      hint: 'Correct the errors above, then run the same command again.',
    });
  }
  linkProgram(root);
  writeStamp(stampFile(root), { fingerprint: inputs, isChecked });
}

/** Each file becomes JavaScript by itself: no type is looked up, no declaration made. */
const QUICK_OPTIONS = {
  ...{ noCheck: true, composite: false, declaration: false, declarationMap: false },
  ...{ noResolve: true, types: [], lib: ['ES5'] },
};

/** The projects of the root's tsconfig.json without their tests, as `tsc -b` takes them. A build of all of it goes on from there. */
function writeQuickProjects(root) {
  const folder = path.join(root, 'build', 'setup', 'tsc');
  mkdirSync(folder, { recursive: true });
  return readJson(path.join(root, 'tsconfig.json')).references.map((reference) => {
    const project = path.join(root, reference.path);
    const base = path.join(project, 'tsconfig.json');
    const exclude = [...(readJson(base).exclude ?? []), '**/*.test.ts'].map((name) => path.join(project, name));
    const file = path.join(folder, `${reference.path.replaceAll('/', '-')}.json`);
    writeFileSync(file, JSON.stringify({ extends: base, compilerOptions: QUICK_OPTIONS, exclude }));
    return file;
  });
}

const PROGRAM = path.join('packages', 'cli', 'dist', 'bin.js');

const programLink = (root) => path.join(root, 'node_modules', '.bin', 'lockstep');

const isProgramLinked = (root) =>
  !existsSync(path.join(root, PROGRAM)) || process.platform === 'win32' || existsSync(programLink(root));

/** `npx lockstep`: npm links programs when it installs, and this one did not exist yet. On Windows npm's own link has to do. */
function linkProgram(root) {
  const program = path.join(root, PROGRAM);
  if (!existsSync(program) || process.platform === 'win32') return;
  chmodSync(program, 0o755);
  const link = programLink(root);
  mkdirSync(path.dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(path.relative(path.dirname(link), program), link);
}

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

function stampFile(root) {
  return path.join(root, 'build', 'setup', 'typescript.json');
}

function packageFolders(root) {
  const { workspaces } = readJson(path.join(root, 'package.json'));
  return workspaces.map((folder) => path.join(root, folder));
}

function fingerprintInputs(root, folders) {
  const shared = ['package-lock.json', 'tsconfig.json', 'tsconfig.base.json'].map((name) => path.join(root, name));
  const own = folders.flatMap((folder) => [
    path.join(folder, 'package.json'),
    path.join(folder, 'tsconfig.json'),
    ...listFiles(path.join(folder, 'src')),
  ]);
  return fingerprint([...shared, ...own]);
}
