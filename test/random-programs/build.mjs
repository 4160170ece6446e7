/** Builds driver.cc with the kernels. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { run, runPool } from '../../tools/setup/processes.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** As in tools/setup/kernels.mjs, where bits depend on them. */
const FLAGS = ['-std=c++20', '-fno-exceptions', '-fno-rtti', '-ffp-contract=off', '-fno-math-errno'];
/** Sources of the addons alone. */
const OF_NODE = ['binding.cc', 'entry.cc'];
/** WebAssembly's page of the kernels with this machine's compiler, on any processor. */
export const WASM_PAGE = ['-DLOCKSTEP_ISA_WASM_EXACT', `-I${path.join(import.meta.dirname, 'page')}`];

/**
 * @param folder where objects and the driver go
 * @param flags of the instruction set and of the build
 * @param native the folder with the kernels' sources
 * @param kept objects of another build that are taken as they are, by the name of their source
 * @returns the driver, and its objects by the name of their source
 */
export async function buildDriver({
  folder,
  compiler = 'c++',
  flags,
  native = path.join(ROOT, 'packages/kernels/native'),
  kept = {},
}) {
  const kernels = readdirSync(native).filter((name) => name.endsWith('.cc') && !OF_NODE.includes(name));
  const include = `-I${path.join(ROOT, 'node_modules/node-api-headers/include')}`;
  const objects = {};
  const jobs = [...kernels.map((name) => path.join(native, name)), path.join(import.meta.dirname, 'driver.cc')].map(
    (source) => async () => {
      const name = path.basename(source);
      objects[name] = kept[name] ?? path.join(folder, `${name}.o`);
      if (!kept[name]) await mustRun(compiler, [...FLAGS, ...flags, include, '-c', source, '-o', objects[name]]);
    },
  );
  await runPool(jobs, 2);
  const driver = path.join(folder, 'driver');
  await mustRun(compiler, [...flags, ...Object.values(objects), '-o', driver]);
  return { driver, objects };
}

async function mustRun(command, args) {
  const { code, output } = await run(command, args);
  if (code !== 0) throw new Error(`${command} ends with exit code ${code}: ${output}`);
}
