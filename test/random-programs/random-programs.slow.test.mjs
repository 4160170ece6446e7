/**
 * Ten thousand random programs on builds of the kernels that no `npm run build` makes: under AddressSanitizer and
 * UndefinedBehaviorSanitizer, and for arm64 under qemu (apt-get install g++-aarch64-linux-gnu qemu-user-static). They have
 * to give the bits of this machine's best build.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../tools/setup/processes.mjs';
import { seedOr } from '../support/seed.ts';
import { buildDriver, WASM_PAGE } from './build.mjs';
import { writeCases } from './cases.mjs';

const PROGRAMS = 10_000;
/** Floats / 16 that are guarded behind each piece of the scratch. */
const GAP = 4;

const folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-random-programs-'));
const cases = path.join(folder, 'cases');

beforeAll(() => {
  const seed = seedOr(Math.floor(Math.random() * 2 ** 31));
  console.log(`${PROGRAMS} random programs from LOCKSTEP_SEED=${seed}`);
  writeCases(cases, { count: PROGRAMS, seed, gap: GAP });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const X64 = [
  ['avx2 build, under sanitizers', ['-mavx2', '-mfma', '-DLOCKSTEP_ISA_AVX2', '-O1', '-g1', ...SANITIZE]],
  ['wasm-exact build, by this machine’s compiler, under sanitizers', [...WASM_PAGE, '-O1', '-g1', ...SANITIZE]],
];
const MISSING = await findMissing();

// most of their time is the compiler's, so all at once
describe.concurrent('random programs give the same bits, and malformed ones touch nothing,', () => {
  it.skipIf(process.arch !== 'x64').each(X64)('on the %s', async (name, flags) => {
    expect(await runDriver(name, { flags }, [])).toEqual(RIGHT);
  });

  it.skipIf(MISSING !== '')(`on the neon build, under qemu${MISSING}`, async () => {
    const arm64 = { compiler: 'aarch64-linux-gnu-g++', flags: ['-DLOCKSTEP_ISA_NEON', '-O2', '-static'] };
    expect(await runDriver('neon', arm64, ['qemu-aarch64-static'])).toEqual(RIGHT);
  });
});

const RIGHT = { code: 0, output: `${PROGRAMS} programs\n` };

async function runDriver(name, build, emulator) {
  const own = mkdtempSync(path.join(folder, `${name.split(' ')[0]}-`));
  const { driver } = await buildDriver({ folder: own, ...build });
  const [command, ...args] = [...emulator, driver, 'run', cases];
  return run(command, args, { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
}

async function findMissing() {
  const tools = ['aarch64-linux-gnu-g++', 'qemu-aarch64-static'];
  const found = await Promise.all(tools.map((tool) => run(tool, ['--version'])));
  const missing = tools.filter((_, i) => found[i].code !== 0);
  return missing.length > 0 ? `: skipped, ${missing.join(' and ')} not installed` : '';
}
