/**
 * A clone as a user has it: the files of the working tree, with the npm packages of this checkout linked in and its builds
 * copied, so that the set-up has little to do. Commands run in it by a shell, with an empty home.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const NOT_COPIED = /(^|\/)(node_modules|\.git|\.nx)(\/|$)|^(coverage|runs|docs\/api)(\/|$)/;
/** These lead back into the checkout that they are in. */
const OWN_PACKAGES = ['@lockstep', 'lockstep', '.bin', '.package-lock.json'];

export interface Ended {
  readonly code: number | null;
  /** stdout and stderr as they came. */
  readonly text: string;
}

export class FreshClone {
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'lockstep-clone-'));
  readonly root = path.join(this.folder, 'lockstep');
  private readonly env: NodeJS.ProcessEnv;
  private own: ReadonlySet<string> = new Set();

  constructor() {
    cpSync(ROOT, this.root, {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
      filter: (file) => !NOT_COPIED.test(path.relative(ROOT, file)),
    });
    for (const folder of ['.', ...readdirSync(path.join(ROOT, 'packages')).map((name) => `packages/${name}`)]) {
      this.linkPackages(path.join(folder, 'node_modules'));
    }
    mkdirSync(path.join(this.folder, 'home'));
    this.env = {
      PATH: `${path.join(this.root, 'node_modules/.bin')}:${process.env['PATH']}`,
      HOME: path.join(this.folder, 'home'),
      LOCKSTEP_OFFLINE: '1',
      npm_config_update_notifier: 'false',
      // a node that a busy machine keeps from answering is not lost: back after the last step, it would look for the run
      LOCKSTEP_SILENCE_MS: '120000',
      LOCKSTEP_NODE_DEADLINE_MS: '120000',
      // mpirun is careful with root and with more processes than cores, which are the tests' own matter
      OMPI_ALLOW_RUN_AS_ROOT: '1',
      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
      OMPI_MCA_rmaps_base_oversubscribe: '1',
    };
  }

  private linkPackages(name: string): void {
    const [from, to] = [path.join(ROOT, name), path.join(this.root, name)];
    if (!existsSync(from)) return;
    mkdirSync(to);
    for (const entry of readdirSync(from).filter((entry) => !entry.startsWith('.vite'))) {
      const options = { recursive: true, verbatimSymlinks: true };
      if (OWN_PACKAGES.includes(entry)) cpSync(path.join(from, entry), path.join(to, entry), options);
      else symlinkSync(path.join(from, entry), path.join(to, entry));
    }
  }

  /** Remembers what is there, for `tidy`. */
  keep(): void {
    this.own = new Set(readdirSync(this.root));
  }

  /** Takes out what commands have left since `keep`, and what they have written into the documents. */
  tidy(): void {
    for (const name of readdirSync(this.root)) {
      if (!this.own.has(name)) rmSync(path.join(this.root, name), { recursive: true });
    }
    for (const name of ['README.md', 'docs'])
      cpSync(path.join(ROOT, name), path.join(this.root, name), { recursive: true });
  }

  /**
   * Runs a line of shell. One that shows a page until Ctrl-C gets one when the page is there.
   *
   * @param env beside an empty home and LOCKSTEP_OFFLINE
   */
  run(line: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const child = spawn('bash', ['-c', line], {
      cwd: this.root,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let text = '';
    let isInterrupted = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (!/^Page: .*until Ctrl-C/m.test(part)) return;
        isInterrupted = true;
        process.kill(-(child.pid as number), 'SIGINT');
      });
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      // The shell and npm end by the signal itself.
      child.on('close', (code, signal) => resolve({ code: isInterrupted && signal === 'SIGINT' ? 0 : code, text }));
    });
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}
