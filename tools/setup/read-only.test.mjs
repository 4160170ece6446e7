import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../bootstrap.mjs';
import { detectInstructionSets } from './instruction-sets.mjs';

const OTHER_USER = 65534;

let root;

function write(name, text = '') {
  mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
}

const protect = (mode) => spawnSync('chmod', ['-R', mode, root]);

/** The set-up of a checkout that it may not write: for root, who may write everything, as another user. */
function setUp() {
  protect('a+rX,a-w');
  const user = process.getuid() === 0 ? { uid: OTHER_USER, gid: OTHER_USER } : {};
  const bootstrap = path.join(root, 'tools', 'bootstrap.mjs');
  const { status, stderr } = spawnSync(process.execPath, [bootstrap], { ...user, cwd: root, encoding: 'utf8' });
  return { status, stderr };
}

describe.skipIf(process.platform === 'win32')('cases: work 20: a checkout that cannot be written', () => {
  beforeEach(() => {
    root = mkdtempSync(path.join(os.tmpdir(), 'lockstep-read-only-'));
    chmodSync(root, 0o755);
    cpSync(path.join(ROOT, 'tools'), path.join(root, 'tools'), { recursive: true });
    write('package.json', JSON.stringify({ workspaces: ['packages/cli'] }));
    for (const name of ['package-lock.json', 'node_modules/.package-lock.json']) write(name, '{"packages":{}}');
    write('packages/kernels/native/a.cc');
    write('packages/cli/src/bin.ts');
    write('packages/cli/dist/tsconfig.tsbuildinfo');
    for (const isa of detectInstructionSets()) write(`packages/kernels/build/lockstep-${isa}.node`);
  });

  afterEach(() => {
    protect('u+w');
    rmSync(root, { recursive: true });
  });

  it('is used as it was built, with one line that says what is older than its sources', () => {
    const { status, stderr } = setUp();
    expect(stderr.split('\n')[0]).toMatch(
      /^setup: .* cannot be written \(EACCES\): used as it was built, although older/,
    );
    expect(stderr).toMatch(/: kernels, TypeScript(, MPI transport)?\n/);
    expect(stderr).not.toContain('    at ');
    expect(status).toBe(0);
  });

  it('that is not built ends with what is missing and whom to ask', () => {
    rmSync(path.join(root, 'packages', 'cli', 'dist'), { recursive: true });
    const { status, stderr } = setUp();
    expect(stderr).toMatch(
      /^setup: FAILED: .* cannot be written \(EACCES\), and these are missing there: TypeScript\n/,
    );
    expect(stderr).toContain('Let its owner run `npm run build` there');
    expect(status).toBe(1);
  });
});
