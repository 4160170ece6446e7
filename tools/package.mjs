/**
 * `npm run package`: one tarball, `lockstep-<version>.tgz`, ready to be installed or published, in this folder or `--out`'s.
 *
 * It brings the kernels for every platform, cross-compiled by zig (fetched from PyPI; a minute or two for each platform, the
 * first time), and refuses to be made when one is missing. `--only this-machine` takes what this clone has compiled.
 */
import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { findFaults } from './package/check.mjs';
import { listOwnBuilds } from './package/own-builds.mjs';
import { findMissing, PLATFORMS } from './package/platforms.mjs';
import { buildPrebuilds } from './package/prebuilds.mjs';
import { stagePackage } from './package/stage.mjs';
import { run } from './setup/processes.mjs';
import { SetupError, say, sayFailure } from './setup/report.mjs';
import { watchSignals } from './setup/signals.mjs';

/** Packs and says what is in the tarball. Throws a SetupError that says what is missing. */
export async function makePackage({ root = ROOT, out = process.cwd(), only, signal } = {}) {
  const prebuilds = only === undefined ? await buildPrebuilds(root, undefined, { signal }) : await listOwnBuilds(root);
  const missing = findMissing(
    (platform, isa) =>
      prebuilds.some((build) => build.platform === platform && build.isa === isa && existsSync(build.file)),
    only === undefined ? undefined : [],
  );
  if (missing.length > 0) throw new SetupError(`no package without the kernels of ${missing.join('; ')}`);
  const folder = path.join(root, 'build', 'package');
  const manifest = stagePackage(root, folder, prebuilds);
  const faults = findFaults(folder, manifest, { modules: path.join(root, 'node_modules') });
  if (faults.length > 0) throw new SetupError('the package is not fit to be installed', { output: faults.join('\n') });
  const file = await pack(folder, out, signal);
  const platforms = [...new Set(prebuilds.map(({ platform }) => platform))];
  say(`${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB, with kernels for ${platforms.join(', ')}`);
  if (only !== undefined) say('for this machine alone: not to be published');
  return file;
}

async function pack(folder, out, signal) {
  await mkdir(out, { recursive: true });
  const args = ['pack', folder, '--pack-destination', out, '--ignore-scripts', '--json'];
  const { code, output } = await run('npm', args, { signal });
  const name = /"filename":\s*"([^"]+)"/.exec(output)?.[1];
  if (code !== 0 || name === undefined) throw new SetupError('npm pack failed', { output });
  return path.join(out, name);
}

function readArguments() {
  const { values } = parseArgs({ options: { only: { type: 'string' }, out: { type: 'string' } } });
  if (values.only !== undefined && values.only !== 'this-machine') {
    throw new SetupError(`--only ${values.only}: the only part that can be packed is this-machine`, {
      hint: `Without it the package has ${Object.keys(PLATFORMS).join(', ')}.`,
    });
  }
  return values;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const interrupt = watchSignals();
  try {
    const values = readArguments();
    if (await bootstrap()) await makePackage({ ...values, signal: interrupt.signal });
    else process.exitCode = 1;
  } catch (error) {
    if (interrupt.signal.aborted) process.exitCode = interrupt.exitCode();
    else {
      sayFailure(error);
      process.exitCode = error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? 2 : 1;
    }
  } finally {
    interrupt.stop();
  }
}
