/** A real Slurm on this machine: munged, slurmctld and three slurmd, with configuration, keys and spool in a temporary folder. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

export const SLURM_PROGRAMS = ['srun', 'sbatch', 'scontrol', 'sinfo', 'slurmctld', 'slurmd', 'munged'];
export const SLURM_INSTALL = 'apt-get install slurm-wlm munge';

const NODES = ['n1', 'n2', 'n3'];
/** What a daemon may take to come up on a machine that does other things too. */
const PATIENCE_MS = 120_000;

export class SlurmCluster {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'lockstep-slurm-'));
  readonly env: NodeJS.ProcessEnv;
  readonly #daemons: ChildProcess[] = [];
  #log = '';

  private constructor() {
    const { LOCKSTEP_RANK: _, ...env } = process.env;
    this.env = { ...env, SLURM_CONF: this.file('slurm.conf') };
    this.env['PATH'] = `${env['PATH']}:/usr/sbin:/sbin`;
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  /** Starts it; resolves when all nodes are idle. */
  static async start(): Promise<SlurmCluster> {
    const cluster = new SlurmCluster();
    try {
      await cluster.#configure();
      const munge = ['--key-file', 'munge.key', '--socket', 'munge.socket', '--pid-file', 'munged.pid'];
      munge.push('--log-file', 'munged.log', '--seed-file', 'munge.seed');
      const paths = munge.map((word) => (word.startsWith('--') ? word : cluster.file(word)));
      cluster.#spawn('munged', ['--foreground', '--force', ...paths]);
      await cluster.until('munged listens', () => existsSync(cluster.file('munge.socket')));
      cluster.#spawn('slurmctld', ['-D', '-c']);
      for (const node of NODES) cluster.#spawn('slurmd', ['-D', '-N', node]);
      await cluster.until('three nodes are idle', async () => {
        const states = await cluster.run('sinfo', ['--noheader', '-o', '%T %D']).catch(() => '');
        return states.trim() === 'idle 3';
      });
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async #configure(): Promise<void> {
    chmodSync(this.folder, 0o755);
    for (const name of ['state', 'spool']) mkdirSync(this.file(name));
    writeFileSync(this.file('munge.key'), randomBytes(1024), { mode: 0o600 });
    const ports = await findFreePorts(NODES.length + 1);
    const user = userInfo().username;
    writeFileSync(
      this.file('slurm.conf'),
      [
        'ClusterName=lockstep',
        `SlurmctldHost=${hostname()}(127.0.0.1)`,
        `SlurmctldPort=${ports[0]}`,
        'AuthType=auth/munge',
        `AuthInfo=socket=${this.file('munge.socket')}`,
        `SlurmUser=${user}`,
        `SlurmdUser=${user}`,
        `StateSaveLocation=${this.file('state')}`,
        `SlurmdSpoolDir=${this.file('spool')}/%n`,
        `SlurmctldPidFile=${this.file('slurmctld.pid')}`,
        `SlurmdPidFile=${this.file('slurmd-%n.pid')}`,
        'ProctrackType=proctrack/linuxproc',
        'TaskPlugin=task/none',
        'SwitchType=switch/none',
        'JobAcctGatherType=jobacct_gather/none',
        'SelectType=select/cons_tres',
        'SelectTypeParameters=CR_Core',
        'ReturnToService=2',
        'MpiDefault=none',
        'KillWait=2',
        ...NODES.map(
          (node, i) => `NodeName=${node} NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${ports[i + 1]}`,
        ),
        'PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP',
        '',
      ].join('\n'),
    );
  }

  #spawn(file: string, args: readonly string[]): void {
    const child = spawn(file, args, { env: this.env, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    child.on('error', (error) => (this.#log += `${error.message}\n`));
    this.#daemons.push(child);
  }

  /** Output of one of Slurm's programs; fails with what it said. */
  async run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { stdout } = await promisify(execFile)(file, args, { env: { ...this.env, ...env }, cwd: this.folder });
    return stdout;
  }

  /** Text of a file in the folder; '' while there is none. */
  read(name: string): string {
    return existsSync(this.file(name)) ? readFileSync(this.file(name), 'utf8') : '';
  }

  /** Resolves when it holds; fails with what the daemons said, and with the text of `name`. */
  async until(what: string, holds: () => boolean | Promise<boolean>, name = ''): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await holds())) {
      if (performance.now() > deadline) {
        const output = name === '' ? '' : this.read(name);
        throw new Error(`${what}: not in time.\n${this.#log.slice(-3000)}\n${output.slice(-3000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Ends jobs and daemons, and removes the folder. */
  async stop(): Promise<void> {
    if (this.#daemons.length > 1)
      await this.run('scancel', ['--quiet', '--signal=KILL', '--full', '-u', userInfo().username]).catch(() => '');
    for (const child of this.#daemons.toReversed()) await end(child);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(timer);
}

async function findFreePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
