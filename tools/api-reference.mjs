/**
 * `npm run docs`: the API reference of the library, from the docstrings of packages/cli/src/index.ts, into docs/api.
 *
 * TypeDoc reads sources with the compiler's API, which TypeScript 7 does not have yet; so it comes with a TypeScript of its
 * own, fetched when asked for, and neither is among the dependencies of the project.
 */
import path from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { runVisibly } from './setup/processes.mjs';

const PACKAGES = ['typedoc@0.28.20', 'typescript@5.9.3'];
const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';

const argv = [
  ...['--yes', ...PACKAGES.map((name) => `--package=${name}`), 'typedoc'],
  ...['--entryPoints', path.join('packages', 'cli', 'src', 'index.ts')],
  ...['--tsconfig', path.join('packages', 'cli', 'tsconfig.json'), '--out', path.join('docs', 'api')],
  ...['--name', 'Lockstep', '--readme', 'none', '--excludePrivate', '--excludeInternal', '--disableSources'],
  ...['--treatWarningsAsErrors', '--validation.notExported', 'false', '--validation.invalidLink', 'true'],
];
process.exitCode = (await bootstrap()) ? await runVisibly(npx, argv, { cwd: ROOT }) : 1;
