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

/** Ways in which a checkout cannot be written, each running its set-up. */
const ways = {
  /** For root, who may write everything, as another user. */
  EACCES(command) {
    protect('a+rX,a-w');
    const user = process.getuid() === 0 ? { uid: OTHER_USER, gid: OTHER_USER } : {};
    return spawnSync(command[0], command.slice(1), { ...user, cwd: root, encoding: 'utf8' });
  },
  /** A mount that nobody else sees. */
  EROFS(command) {
    const freeze = 'mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" && exec "$@"';
    return spawnSync('unshare', ['-Urm', 'sh', '-c', freeze, 'sh', ...command], { cwd: root, encoding: 'utf8' });
  },
};

function setUp(code) {
  const { status, stderr } = ways[code]([process.execPath, path.join(root, 'tools', 'bootstrap.mjs')]);
  return { status, stderr };
}

const canMount = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
const whyNot = canMount ? '' : ' (skipped: needs Linux with user namespaces, to mount)';

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

  for (const [code, missing] of [
    ['EACCES', ''],
    ['EROFS', whyNot],
  ]) {
    it.skipIf(missing)(
      `${code}: is used as it was built, with one line that says what is older than its sources${missing}`,
      () => {
        const { status, stderr } = setUp(code);
        expect(stderr.split('\n')[0]).toMatch(
          new RegExp(`^setup: .* cannot be written \\(${code}\\): used as it was built, although older`),
        );
        expect(stderr).toMatch(/: kernels, TypeScript(, MPI transport)?\n/);
        expect(stderr).not.toContain('    at ');
        expect(status).toBe(0);
      },
    );

    it.skipIf(missing)(`${code}: that is not built ends with what is missing and whom to ask${missing}`, () => {
      rmSync(path.join(root, 'packages', 'cli', 'dist'), { recursive: true });
      const { status, stderr } = setUp(code);
      expect(stderr).toMatch(
        new RegExp(`^setup: FAILED: .* cannot be written \\(${code}\\), and these are missing there: TypeScript\n`),
      );
      expect(stderr).toContain('Let its owner run `npm run build` there');
      expect(status).toBe(1);
    });
  }
});
