import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  TRIED_NODES as ENGINE_NODES,
  BINDING_REVISION as ENGINE_REVISION,
  tensorFlowFolder as engineFolder,
} from '../../packages/worker/dist/tensorflow-engine/index.js';
import { formatDownload } from './download-bar.mjs';
import { run } from './processes.mjs';
import { downloadWheel, findPython } from './python.mjs';
import {
  BINDING_REVISION,
  isTensorFlowReady,
  setUpTensorFlow,
  TRIAL,
  TRIED_NODES,
  tensorFlowFolder,
} from './tensorflow.mjs';
import { findWheel, LIBTENSORFLOW_VERSION, TFJS_VERSION, WHEELS } from './tensorflow-platforms.mjs';

let folder;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-tensorflow-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

it('puts everything where the engine looks for it', () => {
  expect(tensorFlowFolder('/cache')).toBe(engineFolder('/cache'));
  expect(BINDING_REVISION).toBe(ENGINE_REVISION);
  expect(TRIED_NODES).toBe(ENGINE_NODES);
});

it('installs the versions that it says, every package with its checksum', () => {
  const read = (name) => JSON.parse(readFileSync(new URL(`./tensorflow/${name}`, import.meta.url), 'utf8'));
  expect(read('package.json').dependencies['@tensorflow/tfjs-node']).toBe(TFJS_VERSION);
  const { packages } = read('package-lock.json');
  const unpinned = Object.entries(packages).filter(([name, entry]) => name !== '' && !entry.integrity);
  expect(unpinned).toEqual([]);
});

describe('findWheel', () => {
  it.each(Object.keys(WHEELS))('has a wheel with a checksum for %s', (name) => {
    const [platform, arch] = name.split('-');
    const wheel = findWheel({ platform, arch, isGlibc: true });
    expect(wheel.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(wheel.libraries).toHaveLength(2);
  });

  it.each([
    [{ platform: 'win32', arch: 'x64' }, `there is no libtensorflow ${LIBTENSORFLOW_VERSION} for win32 x64`],
    [{ platform: 'linux', arch: 's390x' }, `there is no libtensorflow ${LIBTENSORFLOW_VERSION} for linux s390x`],
    [
      { platform: 'linux', arch: 'x64', isGlibc: false },
      'libtensorflow needs glibc, and this Linux has another C library (musl: Alpine)',
    ],
  ])('says what is wrong with %j', (machine, text) => {
    expect(() => findWheel(machine)).toThrow(text);
  });
});

/** A command in a folder of its own, which is then the whole PATH. */
function fakeCommand(name, script) {
  mkdirSync(path.join(folder, 'bin'), { recursive: true });
  const file = path.join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return { PATH: path.join(folder, 'bin') };
}

describe('findPython', () => {
  it('takes the first Python that has pip', async () => {
    fakeCommand('python3', 'echo No module named pip >&2; exit 1');
    const env = fakeCommand('python', 'echo "pip 25.2 from /somewhere (python 3.12)"');
    expect(await findPython({ env })).toEqual({ command: 'python', pipVersion: [25, 2] });
  });

  it.each([
    ['exit 1', 'python3 has no pip, and libtensorflow comes from PyPI through pip'],
    [undefined, 'there is no python3, and libtensorflow comes from PyPI through pip'],
  ])('says what to install: %s', async (script, text) => {
    const env = script === undefined ? { PATH: folder } : fakeCommand('python3', script);
    await expect(findPython({ env })).rejects.toMatchObject({
      message: text,
      hint: expect.stringContaining('apt-get install python3-pip'),
    });
  });
});

describe('downloadWheel', () => {
  const request = () => ({ ...WHEELS['linux-x64'], version: LIBTENSORFLOW_VERSION, folder, scratch: folder });

  it.each([
    [[23, 2], false],
    [[25, 0], false],
    [[25, 1], true],
    [[26, 0], true],
  ])('pip %j goes on with a broken download: %s', async (pipVersion, isResuming) => {
    const env = fakeCommand('python3', `echo "$@" > ${path.join(folder, 'args')}`);
    await downloadWheel({ command: path.join(folder, 'bin', 'python3'), pipVersion }, request(), { env });
    const args = readFileSync(path.join(folder, 'args'), 'utf8');
    expect(args).toContain('--platform manylinux2014_x86_64');
    expect(args).toContain('tensorflow-cpu==2.15.1');
    expect(args.includes('--resume-retries')).toBe(isResuming);
  });

  it('hands on what pip said when it fails', async () => {
    const env = fakeCommand('python3', 'echo no such host; exit 1');
    const python = { command: path.join(folder, 'bin', 'python3'), pipVersion: [23, 2] };
    await expect(downloadWheel(python, request(), { env })).rejects.toMatchObject({
      message: 'pip could not download tensorflow-cpu 2.15.1 for manylinux2014_x86_64',
      output: 'no such host\n',
    });
  });
});

describe('isTensorFlowReady', () => {
  const write = (files) =>
    writeFileSync(path.join(folder, 'ready.json'), JSON.stringify({ files, revision: BINDING_REVISION }));

  it('is false without ready.json, which is written last', () => {
    expect(isTensorFlowReady(folder)).toBe(false);
  });

  it('is false when a file is gone or was cut short', () => {
    writeFileSync(path.join(folder, 'library'), 'whole');
    write({ library: 5 });
    expect(isTensorFlowReady(folder)).toBe(true);
    writeFileSync(path.join(folder, 'library'), 'cut');
    expect(isTensorFlowReady(folder)).toBe(false);
    write({ other: 5 });
    expect(isTensorFlowReady(folder)).toBe(false);
  });

  it('does nothing more when it is true', async () => {
    write({});
    await expect(setUpTensorFlow({ folder, env: { PATH: folder } })).resolves.toBeUndefined();
  });
});

it.skipIf(!isTensorFlowReady())(
  'cases: peers 30: the trial computes where util has lost isArray and isNullOrUndefined (needs the tensorflow engine)',
  async () => {
    const lose = "for (const name of ['isArray', 'isNullOrUndefined']) delete require('node:util')[name];";
    const { output } = await run(process.execPath, ['-e', `${lose}{${TRIAL}}`], { cwd: tensorFlowFolder() });
    expect(output.trim().split('\n').at(-1)).toBe(JSON.stringify({ tfjs: TFJS_VERSION }));
  },
);

it('draws the bar of a download', () => {
  expect(formatDownload('fetching x', 88_000_000, 207_000_000)).toBe(
    'fetching x  42%|█████████████                 | 88/207 MB',
  );
});
