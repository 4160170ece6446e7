/** The package as it is laid out: in a folder of the repository, so that Node finds its dependencies without installing them. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { findFaults } from '../../tools/package/check.mjs';
import { listOwnBuilds } from '../../tools/package/own-builds.mjs';
import { findMissing, PLATFORMS } from '../../tools/package/platforms.mjs';
import { type Manifest, stagePackage } from '../../tools/package/stage.mjs';
import { hashOf, TWENTY_STEPS } from './empty-folder.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const modules = path.join(ROOT, 'node_modules');

let project: string;
let folder: string;
let manifest: Manifest;

beforeAll(async () => {
  mkdirSync(path.join(ROOT, 'build'), { recursive: true });
  project = mkdtempSync(path.join(ROOT, 'build', 'a project '));
  folder = path.join(project, 'node_modules', 'lockstep');
  manifest = stagePackage(ROOT, folder, await listOwnBuilds(ROOT));
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe('the package', () => {
  const train = (): string => {
    const bin = path.join(folder, manifest.bin['lockstep'] as string);
    const { stdout, stderr, status } = spawnSync(process.execPath, [bin, ...TWENTY_STEPS.command, '--no-save'], {
      cwd: project,
      encoding: 'utf8',
      env: { ...process.env, LOCKSTEP_OFFLINE: '1' },
    });
    expect(status, stderr).toBe(0);
    return stdout;
  };

  it('cases: work 18: trains as it lies there, with the hash of the clone', () => {
    const text = train();
    expect(text).not.toContain('(wasm');
    expect(hashOf(text)).toBe(TWENTY_STEPS.sha256);
  });

  it('trains in WebAssembly on a platform that it brings no kernels for, with the same hash', () => {
    const [builds, elsewhere] = ['prebuilds', 'elsewhere'].map((name) => path.join(folder, 'lib', 'kernels', name));
    renameSync(builds as string, elsewhere as string);
    try {
      const text = train();
      expect(text).toContain('(wasm');
      expect(hashOf(text)).toBe(TWENTY_STEPS.sha256);
    } finally {
      renameSync(elsewhere as string, builds as string);
    }
  });

  it('has a doctor that asks for no compiler', async () => {
    const { main } = await import(pathToFileURL(path.join(folder, 'lib', 'cli', 'dist', 'main.js')).href);
    const io = new RecordingIo();
    await main(['doctor', '--json', '--listen', '127.0.0.1:0'], io);
    const names = (JSON.parse(io.stdout.text).findings as { name: string }[]).map(({ name }) => name);
    expect(names).toContain('native engine');
    expect(names).not.toContain('compiler');
  });

  it('says that what it cannot set up is set up in a clone', async () => {
    vi.stubEnv('LOCKSTEP_CACHE', path.join(project, 'empty cache'));
    const { main } = await import(pathToFileURL(path.join(folder, 'lib', 'cli', 'dist', 'main.js')).href);
    const io = new RecordingIo();
    const words = [
      'bench',
      '--engines',
      'native,tensorflow',
      '--models',
      'tiny6k',
      '--workers',
      '1',
      '--seconds',
      '0.1',
    ];
    expect(await main(words, io)).toBe(2);
    expect(io.stderr.text).toMatch(
      /LOCKSTEP_ENGINE_MISSING: .* Run this once: npm run setup:tensorflow in a clone of Lockstep's repository$/m,
    );
    vi.unstubAllEnvs();
  });

  it('has only imports that lead somewhere, no script, and engines that its dependencies keep', () => {
    expect(findFaults(folder, manifest, { modules })).toEqual([]);
  });

  it('has the dependencies of docs/dependencies.md alone, and none that runs a script when it is installed', () => {
    const listed = [...readFileSync(path.join(ROOT, 'docs/dependencies.md'), 'utf8').matchAll(/^\| (\S+) \|/gm)];
    const names = listed.map(([, name]) => name);
    expect(Object.keys(manifest.dependencies).filter((name) => !names.includes(name))).toEqual([]);
    expect(manifest.dependencies).not.toHaveProperty('msgpackr');
  });

  it('brings the live page, the page to draw on, the licence of what it carries, and no test', () => {
    for (const name of ['lib/watch/page/index.html', 'lib/core/page', 'lib/msgpackr/LICENSE', 'LICENSE', 'README.md']) {
      expect(existsSync(path.join(folder, name)), name).toBe(true);
    }
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    expect(files.filter((name) => /\.test\.|\.map$|tsbuildinfo|[\\/]testing[\\/]/.test(name))).toEqual([]);
  });

  it.each(['nodenext', 'bundler'])('has types that a strict program reads, with resolution %s', (resolution) => {
    const examples = path.join(project, resolution);
    mkdirSync(examples);
    for (const [name, text] of Object.entries(readDocumentedImports())) writeFileSync(path.join(examples, name), text);
    const options = ['--strict', '--noEmit', '--skipLibCheck', 'false', '--target', 'es2023', '--types', 'node'];
    const module = resolution === 'bundler' ? 'preserve' : 'nodenext';
    const files = readdirSync(examples).map((name) => path.join(examples, name));
    const tsc = path.join(modules, 'typescript', 'bin', 'tsc');
    const args = [...options, '--module', module, '--moduleResolution', resolution, '--ignoreConfig', ...files];
    expect(() => execFileSync(process.execPath, [tsc, ...args], { cwd: project, encoding: 'utf8' })).not.toThrow();
  });
});

/** A program for each place of the documents that imports from 'lockstep', and one that imports all that is exported. */
function readDocumentedImports(): Record<string, string> {
  const documents = ['README.md', ...readdirSync(path.join(ROOT, 'docs')).map((name) => `docs/${name}`)];
  const imports = documents
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => readFileSync(path.join(ROOT, name), 'utf8').match(/import \{[^}]+\} from 'lockstep'/g) ?? []);
  expect(imports.length).toBeGreaterThan(0);
  const uses = imports.map((line, i) => [
    `import-${i}.mts`,
    `${line};\nexport { ${/\{([^}]+)\}/.exec(line)?.[1]} };\n`,
  ]);
  return { 'all.mts': "export * from 'lockstep';\n", ...Object.fromEntries(uses) };
}

describe('the check of the package', () => {
  const packed = (name: string, text: string): string[] => {
    const copy = mkdtempSync(path.join(project, 'faulty-'));
    cpSync(path.join(folder, 'lib', 'kernels'), path.join(copy, 'lib', 'kernels'), { recursive: true });
    writeFileSync(path.join(copy, 'lib', 'kernels', 'dist', name), text);
    return findFaults(copy, manifest, { modules });
  };

  it.each([
    ["import '@lockstep/core/run';", '@lockstep/core/run'],
    ["import { x } from './gone.js';", './gone.js'],
    ["const x = await import('left-pad');", 'left-pad'],
  ])('finds %s', (text, specifier) => {
    expect(packed('index.js', text)).toEqual([
      `${path.join('lib', 'kernels', 'dist', 'index.js')} imports ${specifier}, which the package has not`,
    ]);
  });

  it('finds a dependency that needs a newer Node, and one that runs a script', () => {
    const other = mkdtempSync(path.join(project, 'modules-'));
    mkdirSync(path.join(other, 'ws'));
    const ws = { name: 'ws', engines: { node: '^22 || >=24.1' }, scripts: { postinstall: 'node .' } };
    writeFileSync(path.join(other, 'ws', 'package.json'), JSON.stringify(ws));
    expect(findFaults(folder, manifest, { modules: other })).toEqual([
      'ws has the script postinstall',
      `ws needs Node ^22 || >=24.1, the package says ${manifest.engines.node}`,
    ]);
  });

  it('names every platform whose kernels are missing, by instruction set', () => {
    expect(findMissing(() => true)).toEqual([]);
    expect(findMissing((platform: string) => platform !== 'win32-arm64')).toEqual(['win32-arm64: neon']);
    expect(findMissing((platform: string, isa: string) => platform !== 'linux-x64-musl' || isa !== 'avx2')).toEqual([
      'linux-x64-musl: avx2',
    ]);
    expect(findMissing(() => false)).toHaveLength(Object.keys(PLATFORMS).length);
  });
});
