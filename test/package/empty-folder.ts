/** A folder with nothing but the tarball, as a user has it, and what a run in it must give. */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** tiny6k on the sample that comes along: the hash is that of the clone, on any machine. */
export const TWENTY_STEPS = {
  command: ['train', '--steps', '20', '--offline'],
  sha256: 'c39bfa20b9c599c14325afe8440e84a272229b830e84f01aa4c9a7d3dc923320',
} as const;

/** The hash that a run says at its end. */
export const hashOf = (output: string): string | undefined => /Parameters SHA-256: ([0-9a-f]{64})/.exec(output)?.[1];

export interface Ended {
  readonly code: number;
  /** stdout and stderr. */
  readonly text: string;
}

/** Package managers, none of which is installed: npm fetches them into a folder of the tests. */
export const MANAGERS = {
  pnpm: { packages: 'pnpm@12.4.2', script: 'pnpm/bin/pnpm.mjs' },
  'yarn 1': { packages: 'yarn@1.22.22', script: 'yarn/bin/yarn.js' },
  'yarn 4': { packages: '@yarnpkg/cli-dist@4.18.1', script: '@yarnpkg/cli-dist/bin/yarn.js' },
} as const;

/** Tests of one tarball: it is made once, from this clone's own build, or is the one that LOCKSTEP_TARBALL names. */
export class Workplace {
  readonly folder = mkdtempSync(path.join(realpathSync(tmpdir()), 'lockstep-install-'));
  readonly #programs = path.join(this.folder, 'programs');
  #tarball = '';

  /** @param only what the tarball is made for; all platforms by default of `npm run package`, which takes minutes */
  async prepare(only: 'this-machine' | 'all' = 'this-machine'): Promise<void> {
    // On this PATH is no compiler: Node, npm, and the shell that npm runs programs by.
    mkdirSync(this.#programs);
    const { text: found } = await run('which', ['npm', 'npx', 'sh'], this.folder, process.env);
    for (const file of found.trim().split('\n')) symlinkSync(file, path.join(this.#programs, path.basename(file)));
    symlinkSync(process.execPath, path.join(this.#programs, 'node'));
    const given = process.env['LOCKSTEP_TARBALL'];
    this.#tarball = given ? path.resolve(ROOT, given) : await this.#pack(only === 'all' ? [] : ['--only', only]);
  }

  async #pack(words: readonly string[]): Promise<string> {
    const pack = [path.join(ROOT, 'tools/package.mjs'), ...words, '--out', this.folder];
    const { code, text } = await run(process.execPath, pack, ROOT, process.env);
    const name = /(lockstep-[\w.-]+\.tgz)/.exec(text)?.[1];
    if (code !== 0 || name === undefined) throw new Error(text);
    return path.join(this.folder, name);
  }

  /** A folder with the tarball, as `lockstep.tgz`, and what else is asked for. */
  openFolder(name: string, files: Readonly<Record<string, string>> = {}): string {
    const folder = path.join(this.folder, name);
    mkdirSync(folder);
    copyFileSync(this.#tarball, path.join(folder, 'lockstep.tgz'));
    for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text);
    return folder;
  }

  /** Fetches a package manager; returns its script. */
  async fetchManager(name: keyof typeof MANAGERS): Promise<string> {
    const { packages, script } = MANAGERS[name];
    const folder = path.join(this.folder, `manager ${name}`);
    if (existsSync(folder)) return path.join(folder, 'node_modules', script);
    mkdirSync(folder);
    const { code, text } = await this.run(folder, 'npm', 'install', '--prefix', folder, '--ignore-scripts', packages);
    if (code !== 0) throw new Error(text);
    return path.join(folder, 'node_modules', script);
  }

  /** Runs a program with an empty home, but with npm's settings and cache: what is fetched once is fetched once. */
  run(folder: string, program: string, ...args: readonly string[]): Promise<Ended> {
    return run(program, args, folder, this.environment());
  }

  environment(): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(([name]) => !/^npm_|^LOCKSTEP_|^VITEST/i.test(name));
    const mirror = process.env['npm_config_registry'];
    return {
      ...Object.fromEntries(own),
      PATH: this.#programs,
      HOME: path.join(this.folder, 'home'),
      LOCKSTEP_CACHE: path.join(this.folder, 'cache'),
      npm_config_cache: process.env['npm_config_cache'] ?? path.join(process.env['HOME'] ?? this.folder, '.npm'),
      npm_config_prefer_offline: 'true',
      npm_config_update_notifier: 'false',
      YARN_ENABLE_TELEMETRY: '0',
      ...(mirror !== undefined && {
        npm_config_registry: mirror,
        YARN_REGISTRY: mirror,
        YARN_NPM_REGISTRY_SERVER: mirror,
      }),
    };
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127;
      resolve({ code, text: `${stdout}${stderr}${code === 127 ? error?.message : ''}` });
    });
  });
}
