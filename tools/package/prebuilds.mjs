/**
 * The kernels for every platform of the package, by the pinned zig:
 *
 *   build/prebuilds/<platform>/lockstep-<isa>.node    beside them objects and stamps, as in a clone's own build
 *   build/prebuilds/<platform>/*.lib                  import libraries of node.exe, for Windows
 */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { addonFile, areKernelsFresh, buildKernels, kernelsProject } from '../setup/kernels.mjs';
import { run } from '../setup/processes.mjs';
import { SetupError, sayTimed } from '../setup/report.mjs';
import { statKey } from '../setup/stale.mjs';
import { setUpZig, ZIG_PACKAGE, zigEnvironment } from '../setup/zig.mjs';
import { PLATFORMS } from './platforms.mjs';

/** Node-API's functions, as lists of names for Windows. */
const DEFINITIONS = ['node_api', 'js_native_api'];

/** Builds what is stale, one platform after the other. Returns the addons as `{ platform, isa, file }`. */
export async function buildPrebuilds(root, platforms = Object.keys(PLATFORMS), { signal } = {}) {
  const zig = await setUpZig({ signal });
  const env = zigEnvironment();
  const addons = [];
  for (const platform of platforms) {
    const { zigTarget, isas } = PLATFORMS[platform];
    const folder = path.join(root, 'build', 'prebuilds', platform);
    mkdirSync(folder, { recursive: true });
    const target = await describeTarget(platform, zig, folder, root, { env, signal });
    const project = kernelsProject(root, { isas, env, target, buildFolder: folder });
    if (!areKernelsFresh(project)) {
      const compiler = {
        command: [zig, 'c++', '-target', zigTarget],
        file: zig,
        fileKey: statKey(zig),
        version: ZIG_PACKAGE,
      };
      const what = `the kernels for ${platform} (${isas.join(', ')})`;
      await sayTimed(`building ${what}`, `${platform} built`, () => buildKernels(project, compiler, { signal }));
    }
    addons.push(...isas.map((isa) => ({ platform, isa, file: addonFile(project, isa) })));
  }
  return addons;
}

async function describeTarget(platform, zig, folder, root, { env, signal }) {
  const { opens, dllMachine } = PLATFORMS[platform];
  const ways = {
    elf: () => ['-Wl,-z,now'],
    macho: () => ['-Wl,-undefined,dynamic_lookup'],
    dll: () => DEFINITIONS.map((name) => path.join(folder, `${name}.lib`)),
  };
  if (opens === 'dll') {
    for (const name of DEFINITIONS) await makeImportLibrary(name, dllMachine, zig, folder, root, { env, signal });
  }
  return { name: platform, linkFlags: ['-shared', '-s', ...ways[opens]()], staticFlags: [], runsHere: false };
}

async function makeImportLibrary(name, machine, zig, folder, root, { env, signal }) {
  const library = path.join(folder, `${name}.lib`);
  if (existsSync(library)) return;
  const definition = path.join(root, 'node_modules', 'node-api-headers', 'def', `${name}.def`);
  const args = ['dlltool', '-d', definition, '-m', machine, '-l', library];
  const { code, output } = await run(zig, args, { env, signal });
  if (code !== 0) throw new SetupError(`zig dlltool cannot make ${name}.lib of ${definition}`, { output });
}
