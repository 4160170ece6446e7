import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BINDING_REVISION } from '@lockstep/worker/tensorflow-engine';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkTensorFlow } from './engine-checks.js';
import { checkCacheFolder, checkPort } from './environment-checks.js';
import { type Finding, formatFindings, summarizeFindings } from './finding.js';
import { checkCompiler, checkCores, checkMemory, checkNode, checkProcessor } from './machine-checks.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-doctor-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the checks of the doctor', () => {
  it.each<[string, () => Finding, Finding['verdict'], string]>([
    ['a new Node', () => checkNode('24.1.0'), 'good', '24.1.0'],
    ['an old Node', () => checkNode('18.19.0'), 'problem', '18.19.0, older than 20'],
    ['vector units', () => checkProcessor(['avx2', 'wasm'], 'CPU'), 'good', 'CPU: avx2, wasm'],
    ['no vector units', () => checkProcessor(['wasm-exact'], 'CPU'), 'notice', 'CPU: wasm-exact'],
    ['all cores', () => checkCores({ count: 4, allowed: 4 }, 4), 'good', '4, the default of --workers'],
    [
      'a share of the cores',
      () => checkCores({ count: 1, allowed: 1 }, 8),
      'notice',
      'this process may use 1 of 8; the default of --workers is 1',
    ],
    [
      'a share of their time (cases: peers 31)',
      () => checkCores({ count: 2, allowed: 8, quota: { cores: 1.5, file: '/sys/fs/cgroup/cpu.max' } }, 8),
      'notice',
      'this process may use 1.5 of 8 by the quota in /sys/fs/cgroup/cpu.max; the default of --workers is 2',
    ],
    ['room', () => checkMemory(3e9, 8e9), 'good', '3.0 GB free of 8.0 GB'],
    ['little room', () => checkMemory(4e8, 8e9), 'notice', '0.4 GB free of 8.0 GB'],
  ])('say of %s what is to be said', (_, check, verdict, text) => {
    const finding = check();
    expect(finding).toMatchObject({ verdict, text });
    // what is not good costs something and can be mended
    expect([typeof finding.cost, typeof finding.fix]).toEqual(
      verdict === 'good' ? ['undefined', 'undefined'] : ['string', 'string'],
    );
  });

  it('find the compiler that CXX names, and miss one that is not there', async () => {
    expect(await checkCompiler(false, { ...process.env, CXX: `${process.execPath}` })).toMatchObject({
      verdict: 'good',
      text: process.version,
    });
    const lost = { ...process.env, CXX: join(folder, 'none') };
    expect(await checkCompiler(false, lost)).toMatchObject({ verdict: 'notice', text: `none of ${lost.CXX} runs` });
    expect(await checkCompiler(true, lost)).toMatchObject({ verdict: 'problem' });
  });

  it('tell a tensorflow engine that is not set up, and one that is broken, and the command for both', () => {
    expect(checkTensorFlow(folder)).toMatchObject({
      verdict: 'notice',
      text: `not set up (${folder})`,
      fix: expect.stringContaining('npm run setup:tensorflow'),
    });
    for (const cut of ['{"revision":1}', '{"revi']) {
      writeFileSync(join(folder, 'ready.json'), cut);
      expect(checkTensorFlow(folder)).toMatchObject({ verdict: 'notice', text: `not set up (${folder})` });
    }
    writeFileSync(join(folder, 'ready.json'), JSON.stringify({ revision: BINDING_REVISION }));
    expect(checkTensorFlow(folder)).toMatchObject({
      verdict: 'notice',
      text: expect.stringContaining('LOCKSTEP_ENGINE_BROKEN'),
      fix: `delete ${folder}, then npm run setup:tensorflow`,
    });
  });

  it('cases: peers 30: advise another Node where a tensorflow engine loads but does not compute', () => {
    const home = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(folder, 'ready.json'), JSON.stringify({ revision: BINDING_REVISION }));
    writeFileSync(join(home, 'index.js'), "exports.tidy = () => { throw new TypeError('taken out'); };");
    expect(checkTensorFlow(folder)).toMatchObject({
      verdict: 'notice',
      text: 'taken out',
      fix: expect.stringMatching(/^Node 20, 24 or 26 /),
    });
  });

  it('see whether a folder that need not exist can be made', () => {
    expect(checkCacheFolder(join(folder, 'a', 'b'))).toMatchObject({ verdict: 'good', text: join(folder, 'a', 'b') });
  });

  it('tell a port that is free from one that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await checkPort('127.0.0.1', port)).toMatchObject({
      verdict: 'notice',
      text: `127.0.0.1:${port}: another program listens there`,
    });
    await new Promise((resolve) => server.close(resolve));
    expect(await checkPort('127.0.0.1', port)).toMatchObject({ verdict: 'good' });
  });
});

describe('what the doctor prints', () => {
  const good: Finding = { name: 'Node', verdict: 'good', text: '22.1.0' };
  const bad: Finding = { name: 'native engine', verdict: 'problem', text: 'gone', cost: 'all', fix: 'npm run build' };
  const note: Finding = { name: 'cores', verdict: 'notice', text: '1 of 8', cost: 'speed', fix: 'more' };

  it('has a line for each finding, and its cost and cure below it', () => {
    expect(formatFindings([good, bad])).toEqual([
      'ok       Node           22.1.0',
      'PROBLEM  native engine  gone',
      '                        costs: all',
      '                        fix:   npm run build',
    ]);
  });

  it('counts what was found', () => {
    expect(summarizeFindings([good])).toBe('Everything is in order.');
    expect(summarizeFindings([good, bad, note, note])).toBe('1 problem, 2 notes.');
  });
});
