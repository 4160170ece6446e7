/** The tarball as it is published: zig compiles the kernels of all platforms, some minutes the first time; its cache is kept. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { availableIsas } from '../../packages/kernels/dist/index.js';
import { PLATFORMS } from '../../tools/package/platforms.mjs';
import { hashOf, TWENTY_STEPS, Workplace } from './empty-folder.ts';

const workplace = new Workplace();
let folder: string;

beforeAll(async () => {
  await workplace.prepare('all');
  folder = workplace.openFolder('all platforms');
  const installed = await workplace.run(folder, 'npm', 'install', './lockstep.tgz', '--ignore-scripts');
  expect(installed.code, installed.text).toBe(0);
});
afterAll(() => workplace.close());

const WINDOWS = 0x3c;

/** Which system and processor a library is for, by its first bytes: `ELF 62`, `PE 34404`, `Mach-O 16777228`. */
function formatOf(file: string): string {
  const bytes = readFileSync(file);
  if (bytes.toString('latin1', 0, 4) === '\x7fELF') return `ELF ${bytes.readUInt16LE(18)}`;
  if (bytes.toString('latin1', 0, 2) === 'MZ') return `PE ${bytes.readUInt16LE(bytes.readUInt32LE(WINDOWS) + 4)}`;
  if (bytes.readUInt32LE(0) === 0xfeedfacf) return `Mach-O ${bytes.readUInt32LE(4)}`;
  return bytes.toString('hex', 0, 4);
}

it.each([
  ['linux-x64-glibc', 'ELF 62'],
  ['linux-x64-musl', 'ELF 62'],
  ['linux-arm64-glibc', 'ELF 183'],
  ['linux-arm64-musl', 'ELF 183'],
  ['win32-x64', `PE ${0x8664}`],
  ['win32-arm64', `PE ${0xaa64}`],
  ['darwin-arm64', `Mach-O ${0x0100000c}`],
] as const)('brings kernels for %s, of its format and C library', (platform, format) => {
  const { isas = [] } = PLATFORMS[platform] ?? {};
  expect(isas).not.toEqual([]);
  for (const isa of isas) {
    const file = path.join(folder, 'node_modules/lockstep/lib/kernels/prebuilds', platform, `lockstep-${isa}.node`);
    expect(existsSync(file), file).toBe(true);
    expect(formatOf(file), file).toBe(format);
    expect(readFileSync(file).includes('libc.so.6')).toBe(platform.endsWith('-glibc'));
  }
});

const native = availableIsas().filter((isa) => !isa.startsWith('wasm'));

it.each(native)("trains with zig's %s build for this machine, to the hash of every other build", async (isa) => {
  const train = `LOCKSTEP_ISA=${isa} exec npx lockstep ${TWENTY_STEPS.command.join(' ')}`;
  const { code, text } = await workplace.run(folder, 'sh', '-c', train);
  expect(code, text).toBe(0);
  expect(text).toContain(`native (${isa})`);
  expect(hashOf(text), text).toBe(TWENTY_STEPS.sha256);
});
